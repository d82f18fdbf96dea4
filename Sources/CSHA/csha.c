// The SHA256_* calls are deprecated in OpenSSL 3 in favour of EVP, which costs an allocation and a lookup a hash:
// 423 ns a tree node against 95 ns. They are kept on purpose.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "csha.h"
#include <openssl/sha.h>
#include <string.h>

// A leaf of a short entry and every tree node fit into two blocks: padded here and given to the block function, without
// SHA256_Final's and a split SHA256_Update's copies and wiping. FIPS 180-4 section 5.1.1.
enum { BLOCK = 64, SHORT_MAX = 2 * BLOCK - 9 };

static void hash_short(uint8_t prefix, const uint8_t *a, size_t a_count, const uint8_t *b, size_t b_count, uint8_t *out) {
  uint8_t padded[2 * BLOCK];
  size_t count = 1 + a_count + b_count;
  size_t total = count + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
  padded[0] = prefix;
  if (a_count > 0) memcpy(padded + 1, a, a_count);
  if (b_count > 0) memcpy(padded + 1 + a_count, b, b_count);
  memset(padded + count, 0, total - count);
  padded[count] = 0x80;
  padded[total - 2] = (uint8_t)(count * 8 >> 8);
  padded[total - 1] = (uint8_t)(count * 8);
  SHA256_CTX context;
  SHA256_Init(&context);
  // Whole blocks go straight to the block function.
  SHA256_Update(&context, padded, total);
  for (int word = 0; word < 8; word++) {
    for (int place = 0; place < 4; place++) out[4 * word + place] = (uint8_t)(context.h[word] >> (24 - 8 * place));
  }
}

static void hash_with_prefix(uint8_t prefix, const uint8_t *a, size_t a_count, const uint8_t *b, size_t b_count, uint8_t *out) {
  if (1 + a_count + b_count <= SHORT_MAX) {
    hash_short(prefix, a, a_count, b, b_count, out);
    return;
  }
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, &prefix, 1);
  if (a_count > 0) SHA256_Update(&context, a, a_count);
  if (b_count > 0) SHA256_Update(&context, b, b_count);
  SHA256_Final(out, &context);
}

void csha_hash(const uint8_t *bytes, size_t count, uint8_t *out) {
  SHA256_CTX context;
  SHA256_Init(&context);
  if (count > 0) SHA256_Update(&context, bytes, count);
  SHA256_Final(out, &context);
}

void csha_leaf(const uint8_t *bytes, size_t count, uint8_t *out) { hash_with_prefix(0, bytes, count, 0, 0, out); }

void csha_node(const uint8_t *left, const uint8_t *right, uint8_t *out) { hash_with_prefix(1, left, 32, right, 32, out); }
