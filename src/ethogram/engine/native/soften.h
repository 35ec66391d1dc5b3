// Scores to the weights of a softmax.

#pragma once

#include <cmath>

#include "numbers.h"

namespace {

// Turns `length` scores into exp(score - highest) in place and returns their sum. The array is
// as long as a whole number of lanes; the entries after `length` become 0.
float soften(float *scores, int64_t length) {
    for (int64_t j = length; j % LANES; j++) scores[j] = -INFINITY;
    vec highest = vec{} - INFINITY;
    for (int64_t j = 0; j < length; j += LANES) {
        vec shown = F32::load(scores + j);
        highest = shown > highest ? shown : highest;
    }
    const float top = highest_lane(highest);
    vec total = {};
    for (int64_t j = 0; j < length; j += LANES) {
        vec shown = F32::load(scores + j);
        vec weight = shown == -INFINITY ? vec{} : exp_of(shown - top);
        F32::store(scores + j, weight);
        total += weight;
    }
    return sum_lanes(total);
}

}  // namespace
