#pragma once
/*
 * cut/xml_path: values of an XML text by a path of element names.
 *
 *   <a><b c="1">x</b><b c="2">y</b></a>     a.b        x, y
 *                                           a.b{2}     y (elements count from 1)
 *                                           a.b{@c}    1, 2
 *
 * The value of an element is its text; of one that holds elements, what stands between its tags as
 * written. Elements without text have none. Names are without their namespace prefix.
 *
 * Source   Splunk Search Reference, spath: location paths of XML.
 * Errors   -1: put failed, or memory is out. Text that is no whole XML document has no values.
 */
#include "cut/xml_scan.h"

/* Texts live in the arena, or in what was walked. -1 stops. */
typedef int (*xml_put)(void *context, struct slice path, struct slice text);

/* Begins as XML does; whether it is whole is seen when it is walked. */
bool xml_path_fits(struct slice text);
/* What the path names; put is given the path as it is. */
MUST_USE int xml_path_each(struct slice text, struct slice path, struct arena *arena, xml_put put,
                           void *context);
/* Every text and attribute of the document with its path, a.b and a.b{@c}. */
MUST_USE int xml_path_leaves(struct slice text, struct arena *arena, xml_put put, void *context);
