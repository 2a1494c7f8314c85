#pragma once
/*
 * cut/lookalike: what a name looks like to a hurried reader, so that look-alikes of a name are equal to it.
 *
 *   xn--knme-5q5ab.example   kạnạme.example   Каnаme.example   ->   kaname.example
 *
 * Labels that begin with xn-- are decoded (Punycode, RFC 3492); one that is wrong stays as it stands. Accents and
 * what is not seen (combining marks, joiners, soft hyphens) are left out; letters of other alphabets that look
 * like a letter of ASCII become that letter, others stay; full stops of every kind are dots; capitals are small.
 * ASCII itself is not changed: 0 is not o. For that there is the distance of two names.
 * Source   after the confusables of Unicode Technical Standard 39, for the alphabets that names are forged with.
 * Threads  any
 */
#include "base/slice.h"

/* to has room for 4 * name.len bytes; returns the length. */
size_t lookalike_write(struct slice name, char *to);
