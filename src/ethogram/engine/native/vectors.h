// Vectors of sixteen floats for the sampling kernel.
//
// Vectors are those of GCC and Clang, mapped to whatever the processor has; only compressing lanes has
// a form of its own for AVX-512. Arrays extend a whole vector beyond their end. Sums run in an order
// that depends only on their length.

#pragma once

#include <algorithm>
#include <cmath>

#include "numbers.h"

namespace {

using loose_int_vec = int32_t __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
using eight_vec = float __attribute__((vector_size(2 * LANES)));
using loose_eight_vec = float __attribute__((vector_size(2 * LANES), aligned(4), may_alias));
using wide_vec = double __attribute__((vector_size(4 * LANES)));

const vec ALL_LOWEST = vec{} - INFINITY;

inline vec load(const float *from) { return F32::load(from); }
inline vec load(const uint16_t *from) { return BF16::load(from); }
inline float load_one(const float *from) { return *from; }
inline float load_one(const uint16_t *from) { return BF16::one(*from); }
inline void store(float *to, vec x) { F32::store(to, x); }
inline int_vec load_ids(const int32_t *from) { return (int_vec) * (const loose_int_vec *)from; }

inline int64_t padded(int64_t count) { return (count + LANES - 1) / LANES * LANES; }

// The highest of an array whose last vector is filled up with -inf; NaN is passed over.
inline float highest_of(const float *x, int64_t count) {
    vec top = ALL_LOWEST;
    for (int64_t j = 0; j < count; j += LANES) {
        const vec here = load(x + j);
        top = here > top ? here : top;
    }
    return highest_lane(top);
}

inline int count_lanes(int_vec mask) {
#ifdef __AVX512F__
    return __builtin_popcount(_mm512_test_epi32_mask((__m512i)mask, (__m512i)mask));
#else
    int count = 0;
    for (int i = 0; i < LANES; i++) count -= mask[i];
    return count;
#endif
}

// The index of the first number equal to `x`; 0 if there is none.
template <class T> inline int64_t first_place(const T *from, int64_t count, float x) {
    int64_t i = 0;
    while (i + LANES <= count && !count_lanes(load(from + i) == x)) i += LANES;
    for (; i < count; i++)
        if (load_one(from + i) == x) return i;
    return 0;
}

// An fp64 sum of fp32 numbers, sixteen at a time.
struct Sum {
    wide_vec low{}, high{};
    void add(const float *from) {
        low += __builtin_convertvector((eight_vec) * (const loose_eight_vec *)from, wide_vec);
        high += __builtin_convertvector((eight_vec) * (const loose_eight_vec *)(from + 8), wide_vec);
    }
    double total() const {
        const wide_vec both = low + high;
        double sum = 0;
        for (int i = 0; i < LANES / 2; i++) sum += both[i];
        return sum;
    }
};

// exp(x) for x <= 0, and 0 below -87.
inline vec weight_of(vec x) { return x < -87.0f ? vec{} : exp_of(x); }

// Writes the lanes of the mask side by side and tells how many there are. A whole vector is
// written, so reading and writing one array in step is safe, as writing never overtakes reading.
inline int gather(float *to, vec x, int_vec mask) {
#ifdef __AVX512F__
    const __mmask16 lanes = _mm512_test_epi32_mask((__m512i)mask, (__m512i)mask);
    _mm512_storeu_ps(to, _mm512_maskz_compress_ps(lanes, (__m512)x));
    return __builtin_popcount(lanes);
#else
    int count = 0;
    for (int i = 0; i < LANES; i++) {
        to[count] = x[i];
        count -= mask[i];
    }
    return count;
#endif
}
inline int gather(int32_t *to, int_vec x, int_vec mask) {
    vec moved;
    std::memcpy(&moved, &x, sizeof moved);
    return gather((float *)to, moved, mask);
}

}  // namespace
