// Keyed Gumbel noise, and the token with the highest sum of score and noise.
//
// It equals the noise of `noise.py`. Logarithms are taken only of hashes that can still win, which
// changes no draw.

#pragma once

#include "candidates.h"

namespace {

constexpr uint64_t GOLDEN = 0x9e3779b97f4a7c15u;
constexpr int BITS = 52;
constexpr double UNIT = 1.0 / (double)(1ull << BITS);
constexpr int BLOCK = 64;
// Noise lies between -3.6 and 36.8; a step of the table below is an eighth.
constexpr double LEAST = -4.0, STEPS = 8.0;
constexpr int ENTRIES = 42 * 8;

inline uint64_t mix(uint64_t word) {
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
    word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
    return word ^ (word >> 31);
}

inline uint64_t stream_state(uint64_t key, uint64_t position) {
    return mix(mix(key) + GOLDEN * (position + 1));
}

inline uint64_t hash(uint64_t state, uint64_t token) {
    return mix((token + 1) * GOLDEN + state) >> (64 - BITS);
}

// A uniform of (0, 1) for one decision, as `noise.uniform`.
inline double uniform(uint64_t key, uint64_t position, uint64_t stream) {
    const uint64_t word = mix(stream_state(key ^ mix(stream), position) + GOLDEN);
    return ((double)(word >> (64 - BITS)) + 0.5) * UNIT;
}

inline double noise_of(uint64_t bits) {
    return -std::log(-std::log(((double)bits + 0.5) * UNIT));
}

// The largest hash that gives no more noise than each step needs; the margins cover rounding.
struct Limits {
    uint64_t largest[ENTRIES];
    Limits() {
        for (int entry = 0; entry < ENTRIES; entry++) {
            const double needed = LEAST + entry / STEPS - 1e-9;
            const double bits = std::floor(std::exp(-std::exp(-needed)) / UNIT) - 2;
            largest[entry] = bits > 0 ? (uint64_t)bits : 0;
        }
    }
    // Hashes up to this cannot give as much noise as is needed; 0 where all may.
    uint64_t below(double needed) const {
        if (!(needed >= LEAST)) return 0;
        return largest[(int)std::min((needed - LEAST) * STEPS, ENTRIES - 1.0)];
    }
};

// Of equal sums the lowest id wins.
inline int32_t draw(const Candidates &from, uint64_t state, const Limits &limits) {
    int32_t picked = from.best();
    double best = (double)from.highest() + noise_of(hash(state, picked));
    if (!std::isfinite(best)) return picked;
    uint64_t bits[BLOCK];
    for (int64_t start = 0; start < from.count; start += BLOCK) {
        const int count = (int)std::min<int64_t>(BLOCK, from.count - start);
        const float *score = from.score + start;
        const int32_t *id = from.id + start;
        const float highest = highest_of(score, count);
        if (highest == -INFINITY) continue;
        const uint64_t least = limits.below(best - highest);
        uint64_t is_rival = 0;
        for (int i = 0; i < count; i++) bits[i] = hash(state, (uint64_t)(uint32_t)id[i]);
        for (int i = 0; i < count; i++) is_rival |= bits[i] > least;
        if (!is_rival && least) continue;
        for (int i = 0; i < count; i++) {
            if (score[i] == -INFINITY) continue;
            const uint64_t mine = limits.below(best - score[i]);
            if (mine && bits[i] <= mine) continue;
            const double sum = (double)score[i] + noise_of(bits[i]);
            if (sum > best || (sum == best && id[i] < picked)) best = sum, picked = id[i];
        }
    }
    return picked;
}

}  // namespace
