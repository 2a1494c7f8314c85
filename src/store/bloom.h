#pragma once
/*
 * store/bloom: "certainly not in here" for a set of hashes: a split block bloom filter
 * (Apache Parquet's: 32-byte blocks, one bit in each of eight words).
 */
#include "base/slice.h"

#include <stdint.h>

enum { BLOOM_BITS_PER_KEY = 10, BLOOM_BLOCK = 32 };

size_t bloom_size(size_t keys); /* bytes, a multiple of BLOOM_BLOCK */
void bloom_add(char *filter, size_t size, uint64_t hash);
/* True also when the filter has an impossible size. */
bool bloom_may_have(struct slice filter, uint64_t hash);
/* The hash of a text, folded by base/utf8 first. */
uint64_t bloom_hash_folded(struct slice folded);
