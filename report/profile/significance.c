#include "report/profile/significance.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "store/base/cleanup.h"

#define EXACT_MAX 1000u // above, the normal law is closer than 0.001

// ln of the binomial probability of k among n.
static double log_binomial(uint64_t k, uint64_t n, double share)
{
    return lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1) + (double)k * log(share) +
           (double)(n - k) * log1p(-share);
}

// The sum of the probabilities from k to the near end.
static double tail(uint64_t k, uint64_t n, double share)
{
    double sum = 0;
    if ((double)k <= share * (double)n)
        for (uint64_t i = 0; i <= k; i++)
            sum += exp(log_binomial(i, n, share));
    else
        for (uint64_t i = k; i <= n; i++)
            sum += exp(log_binomial(i, n, share));
    return sum;
}

double significance__p(uint64_t before, uint64_t before_total, uint64_t after, uint64_t after_total)
{
    uint64_t n = before + after;
    if (!n || !before_total || !after_total)
        return 1;
    double share = (double)after_total / ((double)before_total + (double)after_total);
    if (n <= EXACT_MAX)
        return fmin(1, 2 * tail(after, n, share));
    double mean = share * (double)n, deviation = sqrt(mean * (1 - share));
    return erfc(fmax(0, fabs((double)after - mean) - 0.5) / deviation / sqrt(2));
}

static int by_p(const void *a, const void *b, void *context)
{
    const double *ps = context;
    double left = ps[*(const size_t *)a], right = ps[*(const size_t *)b];
    return left < right ? -1 : left > right;
}

int significance__adjust(double *ps, size_t count)
{
    _cleanup_free_ size_t *order = calloc(count + 1, sizeof(*order));
    if (!order)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    qsort_r(order, count, sizeof(*order), by_p, ps);
    double least = 1;
    for (size_t i = count; i-- > 0;) {
        least = fmin(least, ps[order[i]] * (double)count / (double)(i + 1));
        ps[order[i]] = least;
    }
    return 0;
}
