#pragma once
/* cut/binxml_value: one typed value of BinXML as XML text. Part of cut/binxml. */
#include "base/buffer.h"
#include "base/slice.h"

enum binxml_type {
    BINXML_NULL = 0x00,
    BINXML_STRING = 0x01,
    BINXML_ANSI = 0x02,
    BINXML_INT8 = 0x03,
    BINXML_UINT8 = 0x04,
    BINXML_INT16 = 0x05,
    BINXML_UINT16 = 0x06,
    BINXML_INT32 = 0x07,
    BINXML_UINT32 = 0x08,
    BINXML_INT64 = 0x09,
    BINXML_UINT64 = 0x0a,
    BINXML_FLOAT = 0x0b,
    BINXML_DOUBLE = 0x0c,
    BINXML_BOOL = 0x0d,
    BINXML_BINARY = 0x0e,
    BINXML_GUID = 0x0f,
    BINXML_SIZE = 0x10,
    BINXML_FILETIME = 0x11,
    BINXML_SYSTEMTIME = 0x12,
    BINXML_SID = 0x13,
    BINXML_HEX32 = 0x14,
    BINXML_HEX64 = 0x15,
    BINXML_HANDLE = 0x20,
    BINXML_XML = 0x21,
    BINXML_XML_TEXT = 0x23,
    BINXML_ARRAY = 0x80, /* or-ed in */
};

/* A scalar; bytes of a size that does not fit the type are printed in hex. */
void binxml_put_value(uint8_t type, struct slice bytes, struct buffer *to);

/* Takes the next member off an array's bytes. False at the end. */
bool binxml_next_member(uint8_t type, struct slice *bytes, struct slice *member);

/* UTF-16LE as escaped UTF-8; a lone surrogate becomes U+FFFD. */
void binxml_put_utf16(struct slice bytes, struct buffer *to);

uint64_t binxml_number(struct slice bytes); /* little-endian, up to 8 bytes */
