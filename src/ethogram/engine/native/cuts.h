// Where to cut an array of scores or weights: the k-th highest, or where a mass is reached.

#pragma once

#include <cfloat>
#include <functional>
#include <utility>
#include <vector>

#include "vectors.h"

namespace {

// The k-th highest of scores that end in -inf; -inf if there are fewer. `spare` is overwritten.
inline float kth_highest(const float *score, int64_t count, int64_t k, float *spare) {
    // Each lane of each span has one maximum: k of them are no lower than the k-th, so there are at
    // least k scores from there on, and seldom many more.
    const int64_t length = padded(count);
    const int64_t span = std::clamp<int64_t>(length / (8 * k), 1, 64) * LANES;
    float floor = -INFINITY;
    int64_t maxima = 0;
    for (int64_t start = 0; span > LANES && start < length; start += span) {
        vec top = ALL_LOWEST;
        for (int64_t j = start; j < std::min(start + span, length); j += LANES) {
            const vec here = load(score + j);
            top = here > top ? here : top;
        }
        store(spare + maxima, top);
        maxima += LANES;
    }
    if (maxima >= k) {
        std::nth_element(spare, spare + k - 1, spare + maxima, std::greater<float>());
        floor = spare[k - 1];
    }
    int64_t high = 0;
    for (int64_t j = 0; j < length; j += LANES) {
        const vec here = load(score + j);
        const int_vec in = (here >= floor) & (here > ALL_LOWEST);
        if (count_lanes(in)) high += gather(spare + high, here, in);
    }
    if (high < k) return -INFINITY;
    std::nth_element(spare, spare + k - 1, spare + high, std::greater<float>());
    return spare[k - 1];
}

// Where the weights of keys, taken from the highest key on, first reach a target.
struct Cut {
    float key;      // the lowest key that is in
    double before;  // the weight of all higher keys
    float weight;   // the weight of one entry with this key
};

constexpr int BINS = 256;

inline std::pair<float, float> range_of(const float *key, int64_t count) {
    vec low = -ALL_LOWEST, high = ALL_LOWEST;
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const vec here = load(key + i);
        low = here < low ? here : low, high = here > high ? here : high;
    }
    std::pair<float, float> range{-highest_lane(-low), highest_lane(high)};
    for (; i < count; i++)
        range = {std::min(range.first, key[i]), std::max(range.second, key[i])};
    return range;
}

// Keys and weights are overwritten. Each round looks at the one of 256 equal parts of the keys'
// range that holds the cut, so nothing but the last few entries is ever sorted.
inline Cut cut_of(float *key, float *weight, int64_t count, double target,
                  std::vector<std::pair<float, float>> &few) {
    double before = 0;
    for (;;) {
        const auto [low, high] = range_of(key, count);
        if (low == high) return {high, before, weight[0]};
        const float scale = (BINS - 1) / (high - low);
        if (count <= 32 || !(scale > 0 && scale <= FLT_MAX)) break;
        double mass[BINS] = {};
        int64_t filled[BINS] = {};
        for (int64_t i = 0; i < count; i++) {
            const int bin = (int)((high - key[i]) * scale);
            mass[bin] += weight[i], filled[bin]++;
        }
        int bin = 0, last = 0;
        for (int i = 0; i < BINS; i++) last = filled[i] ? i : last;
        while (bin < last && (!filled[bin] || before + mass[bin] < target)) before += mass[bin++];
        int64_t kept = 0;
        for (int64_t i = 0; i < count; i++) {
            const float k = key[i], w = weight[i];
            key[kept] = k, weight[kept] = w;
            kept += (int)((high - k) * scale) == bin;
        }
        count = kept;
    }
    few.clear();
    for (int64_t i = 0; i < count; i++) few.emplace_back(key[i], weight[i]);
    std::stable_sort(few.begin(), few.end(), [](auto &a, auto &b) { return a.first > b.first; });
    double sum = before;
    size_t first = 0;  // of the entries with the present key
    for (size_t i = 0; i < few.size(); i++) {
        if (few[i].first != few[first].first) first = i, before = sum;
        sum += few[i].second;
        if (sum >= target) break;
    }
    return {few[first].first, before, few[first].second};
}

}  // namespace
