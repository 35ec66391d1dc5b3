// Vectors of 16 numbers, and how fp32 and bf16 become them.
//
// Vectors are those of GCC and Clang, mapped to whatever the processor has.

#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace {

constexpr int LANES = 16;
using vec = float __attribute__((vector_size(4 * LANES)));
using loose_vec = float __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
using int_vec = int32_t __attribute__((vector_size(4 * LANES)));
using word_vec = uint32_t __attribute__((vector_size(4 * LANES)));
using loose_word_vec = uint32_t __attribute__((vector_size(4 * LANES), aligned(2), may_alias));
using half_vec = uint16_t __attribute__((vector_size(2 * LANES)));
using loose_half_vec = uint16_t __attribute__((vector_size(2 * LANES), aligned(2), may_alias));

struct F32 {
    using element = float;
    static vec load(const float *from) { return (vec) * (const loose_vec *)from; }
    static void store(float *to, vec x) { *(loose_vec *)to = x; }
    static void load_two(const float *from, vec &one, vec &two) {
        one = load(from);
        two = load(from + LANES);
    }
    static void store_two(float *to, vec one, vec two) {
        store(to, one);
        store(to + LANES, two);
    }
    static float one(float x) { return x; }
    static float rounded(float x) { return x; }
};

struct BF16 {
    using element = uint16_t;
    static vec load(const uint16_t *from) {
        half_vec half = *(const loose_half_vec *)from;
        return (vec)(__builtin_convertvector(half, word_vec) << 16);
    }
    // Round to nearest, ties to even, in the upper halves; the values here are never NaN.
    static word_vec rounded_words(vec x) {
        const word_vec word = (word_vec)x;
        return word + 0x7fff + ((word >> 16) & 1);
    }
    static void store(uint16_t *to, vec x) {
        *(loose_half_vec *)to = __builtin_convertvector(rounded_words(x) >> 16, half_vec);
    }
    // Two vectors of the numbers at even and at odd places: half the work of two in order, and as
    // good wherever both sides of a product come so.
    static void load_two(const uint16_t *from, vec &one, vec &two) {
        const word_vec both = *(const loose_word_vec *)from;
        one = (vec)(both << 16);
        two = (vec)(both & 0xffff0000u);
    }
    static void store_two(uint16_t *to, vec one, vec two) {
        *(loose_word_vec *)to = rounded_words(one) >> 16 | (rounded_words(two) & 0xffff0000u);
    }
    static float one(uint16_t x) {
        uint32_t word = (uint32_t)x << 16;
        float value;
        std::memcpy(&value, &word, 4);
        return value;
    }
    static uint16_t rounded(float x) {
        uint32_t word;
        std::memcpy(&word, &x, 4);
        return (uint16_t)((word + 0x7fff + ((word >> 16) & 1)) >> 16);
    }
};

// Halves are added to halves, down to one lane; every branch adds in the same order.
inline float sum_lanes(vec x) {
#if defined(__AVX512F__)
    const __m512d all = (__m512d)x;
    const __m256 half = _mm256_add_ps((__m256)_mm512_castpd512_pd256(all),
                                      (__m256)_mm512_extractf64x4_pd(all, 1));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
#else
    float part[LANES];
    std::memcpy(part, &x, sizeof part);
    for (int width = LANES / 2; width; width /= 2)
        for (int i = 0; i < width; i++) part[i] += part[i + width];
    return part[0];
#endif
}

// The sums of the lanes of sixteen vectors, side by side: each to the bit what `sum_lanes` gives.
inline vec sums_of_lanes(const vec x[LANES]) {
#if defined(__AVX512F__)
    // Halves to halves, for two vectors at a time, then for four, eight and sixteen.
    __m512 two[8], four[4], eight[2];
    const auto at = [x](int place) { return (__m512)x[place % 4 * 4 + place / 4]; };
    for (int i = 0; i < 8; i++)
        two[i] = _mm512_shuffle_f32x4(at(2 * i), at(2 * i + 1), 0x44) +
                 _mm512_shuffle_f32x4(at(2 * i), at(2 * i + 1), 0xee);
    for (int i = 0; i < 4; i++)
        four[i] = _mm512_shuffle_f32x4(two[2 * i], two[2 * i + 1], 0x88) +
                  _mm512_shuffle_f32x4(two[2 * i], two[2 * i + 1], 0xdd);
    for (int i = 0; i < 2; i++) {
        const __m512d one = (__m512d)four[2 * i], other = (__m512d)four[2 * i + 1];
        eight[i] = (__m512)_mm512_unpacklo_pd(one, other) + (__m512)_mm512_unpackhi_pd(one, other);
    }
    return (vec)(_mm512_shuffle_ps(eight[0], eight[1], 0x88) +
                 _mm512_shuffle_ps(eight[0], eight[1], 0xdd));
#else
    vec sums;
    for (int i = 0; i < LANES; i++) sums[i] = sum_lanes(x[i]);
    return sums;
#endif
}

// The highest of the lanes, none of which is NaN.
inline float highest_lane(vec x) {
#if defined(__AVX512F__)
    return _mm512_reduce_max_ps((__m512)x);
#else
    float top = x[0];
    for (int i = 1; i < LANES; i++) top = x[i] > top ? x[i] : top;
    return top;
#endif
}

// exp of x <= 0: 2^n p(r), the polynomial of Cephes expf; relative error below 2e-7, exp(0) is 1.
// Below -87 it gives at least exp(-87), so the caller tells what weighs nothing.
inline vec exp_of(vec x) {
    const vec lowest = vec{} - 87.0f;
    x = x < lowest ? lowest : x;
    const int_vec n = __builtin_convertvector(x * 1.44269504088896341f - 0.5f, int_vec);
    const vec whole = __builtin_convertvector(n, vec);
    const vec r = x - whole * 0.693359375f + whole * 2.12194440e-4f;
    vec p = vec{} + 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return (p * (r * r) + r + 1.0f) * (vec)((n + 127) << 23);
}

}  // namespace
