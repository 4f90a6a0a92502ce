// Runs a fuzz target without a fuzzer: over each file given, whole, then cut short and damaged in ways that are the
// same each time. `make check` does that with sanitizers; `make fuzz` runs the same targets under libFuzzer.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUTATIONS 64
#define BYTES_MAX (4u << 20) // of one file; a corpus is of small ones

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

// A copy of its own size each time, so that the sanitizer sees the first byte read behind it.
static void run(const uint8_t *data, size_t bytes, uint64_t *damage)
{
    uint8_t *copy = malloc(bytes ? bytes : 1);
    if (!copy)
        abort();
    memcpy(copy, data, bytes);
    for (uint64_t flips = damage && bytes ? 1 + next_random(damage) % 8 : 0; flips; flips--)
        copy[next_random(damage) % bytes] = (uint8_t)next_random(damage);
    LLVMFuzzerTestOneInput(copy, bytes);
    free(copy);
}

static int replay(const char *path, uint8_t *data)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        perror(path);
        return 1;
    }
    size_t bytes = fread(data, 1, BYTES_MAX, file);
    fclose(file);
    uint64_t random = 88172645463325252ull;
    run(data, bytes, NULL);
    for (int i = 0; i < MUTATIONS; i++)
        run(data, bytes, &random);
    for (int i = 0; i < MUTATIONS / 4 && bytes; i++)
        run(data, next_random(&random) % bytes, NULL);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = argc < 2;
    uint8_t *data = malloc(BYTES_MAX);
    if (!data)
        return 1;
    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i], data);
    free(data);
    return failed;
}
