#pragma once
/*
 * store/segment_format: constants of the segment file (docs/format/segment.md).
 *
 *   | "HINSEG01" | file id 8 | zeros 8 | crc 4 | zeros 4 |  streams ...  | footer | trailer |
 *   trailer: footer offset 8 | stored 4 | raw 4 | footer crc 4 | version 4 | crc 4 of these | "SEGE"
 */
enum { SEGMENT_HEADER = 32, SEGMENT_TRAILER = 32, SEGMENT_VERSION = 3 };
enum { SEGMENT_VERSION_OLDEST = 1 }; /* which had fewer kinds of streams, slots and forms */
#define SEGMENT_MAGIC "HINSEG01"
#define SEGMENT_END_MAGIC "SEGE"
#define SEGMENT_FOOTER_MAX ((size_t)256 * 1024 * 1024)
enum { SEGMENT_BLOCKS_MAX = 1 << 16 };
