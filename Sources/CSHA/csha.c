// The SHA256_* calls are deprecated in OpenSSL 3 in favour of EVP, which costs an allocation and a lookup a hash:
// 423 ns a tree node against 95 ns. They are kept on purpose.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "csha.h"
#include <openssl/sha.h>

static void hash_with_prefix(uint8_t prefix, const uint8_t *a, size_t a_count, const uint8_t *b, size_t b_count, uint8_t *out) {
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
