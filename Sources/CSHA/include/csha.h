// RFC 6962 hashing over libcrypto's SHA-256, which uses the processor's SHA instructions where it has them.
#ifndef TALLY_CSHA_H
#define TALLY_CSHA_H
#include <stddef.h>
#include <stdint.h>

/// SHA-256 of `count` bytes into `out` (32 bytes).
void csha_hash(const uint8_t *bytes, size_t count, uint8_t *out);
/// RFC 6962 section 2.1 leaf hash: SHA-256(0x00 || bytes).
void csha_leaf(const uint8_t *bytes, size_t count, uint8_t *out);
/// RFC 6962 section 2.1 node hash: SHA-256(0x01 || left || right), each 32 bytes.
void csha_node(const uint8_t *left, const uint8_t *right, uint8_t *out);
#endif
