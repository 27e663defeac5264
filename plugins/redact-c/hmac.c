/*
 * HMAC-SHA256: FIPS 180-4, RFC 2104.
 *
 * Enters: a key and bytes. Leaves: 32 bytes. Invariant: a key of any length.
 */
#include "redact.h"

typedef struct sha256 {
    uint32_t state[8];
    uint8_t block[64];
    uint64_t len;
} sha256;

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t turn(uint32_t x, unsigned by) { return x >> by | x << (32 - by); }

static void mix(sha256 *s) {
    uint32_t w[64], v[8];
    for (size_t i = 0; i < 16; i++) {
        const uint8_t *b = s->block + 4 * i;
        w[i] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    }
    for (size_t i = 16; i < 64; i++) {
        uint32_t a = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t b = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + a + w[i - 7] + b;
    }
    memcpy(v, s->state, sizeof v);
    for (size_t i = 0; i < 64; i += 8) { /* eight rounds, so that each letter is where it began */
        for (size_t k = 0; k < 8; k++) {
#define AT(letter) v[((letter) - k) & 7]
            uint32_t e = AT(4), a = AT(0);
            uint32_t one = AT(7) + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & AT(5)) ^ (~e & AT(6))) + K[i + k] + w[i + k];
            uint32_t two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & AT(1)) ^ (a & AT(2)) ^ (AT(1) & AT(2)));
            AT(3) += one;
            AT(7) = one + two;
#undef AT
        }
    }
    for (size_t i = 0; i < 8; i++) s->state[i] += v[i];
}

static void begin(sha256 *s) {
    static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(s->state, first, sizeof first);
    s->len = 0;
}

static void feed(sha256 *s, const uint8_t *bytes, size_t len) {
    for (size_t at = 0; at < len;) {
        size_t used = s->len % 64, part = len - at < 64 - used ? len - at : 64 - used;
        memcpy(s->block + used, bytes + at, part);
        s->len += part;
        at += part;
        if (s->len % 64 == 0) mix(s);
    }
}

static void finish(sha256 *s, uint8_t into[32]) {
    static const uint8_t end[64] = {0x80};
    uint64_t bits = s->len * 8;
    uint8_t length[8];
    for (size_t i = 0; i < 8; i++) length[i] = (uint8_t)(bits >> (56 - 8 * i));
    feed(s, end, 1 + (119 - s->len % 64) % 64);
    feed(s, length, 8);
    for (size_t i = 0; i < 32; i++) into[i] = (uint8_t)(s->state[i / 4] >> (24 - 8 * (i % 4)));
}

void hmac_prepare(const uint8_t *key, size_t len, hmac_key *to) {
    uint8_t block[64] = {0}, pad[64];
    sha256 s;
    if (len > 64) {
        begin(&s);
        feed(&s, key, len);
        finish(&s, block);
    } else if (len) {
        memcpy(block, key, len);
    }
    for (size_t i = 0; i < 64; i++) pad[i] = block[i] ^ 0x36;
    begin(&s);
    feed(&s, pad, 64);
    memcpy(to->inner, s.state, sizeof to->inner);
    for (size_t i = 0; i < 64; i++) pad[i] = block[i] ^ 0x5c;
    begin(&s);
    feed(&s, pad, 64);
    memcpy(to->outer, s.state, sizeof to->outer);
}

void hmac_sha256(const hmac_key *key, const uint8_t *bytes, size_t len, uint8_t into[32]) {
    uint8_t inner[32];
    sha256 s = {.len = 64};
    memcpy(s.state, key->inner, sizeof s.state);
    feed(&s, bytes, len);
    finish(&s, inner);
    s.len = 64;
    memcpy(s.state, key->outer, sizeof s.state);
    feed(&s, inner, 32);
    finish(&s, into);
}
