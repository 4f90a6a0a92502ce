// Reports of a store in which every value is known. The text of each format is held against tests/golden/report/;
// HEARTH_GOLDEN=write makes these anew.
#include "report/query/report.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "report/formats/formats.h"
#include "store/base/cleanup.h"
#include "tests/unit/report/sample_store.h"

#define SAMPLES_ALL 52

static char folder[64], store[96], output[96];

static int set_up(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    snprintf(folder, sizeof(folder), "/tmp/hearth-report-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(store, sizeof(store), "%s/s.db", folder);
    snprintf(output, sizeof(output), "%s/out", folder);
    sample__make(store);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(store);
    unlink(output);
    return rmdir(folder);
}

static char *read_file(const char *path, size_t *ret_length)
{
    _cleanup_file_ FILE *file = fopen(path, "re");
    if (!file)
        fail_msg("cannot read %s", path);
    fseek(file, 0, SEEK_END);
    size_t length = (size_t)ftell(file);
    rewind(file);
    char *text = calloc(1, length + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, length, file), length);
    *ret_length = length;
    return text;
}

static char *write_report(const struct report_request *request, struct report_summary *summary)
{
    struct fault fault = {0};
    size_t length;
    if (report__write(store, request, output, summary, &fault))
        fail_msg("%s", fault.text);
    return read_file(output, &length);
}

// The version changes; the goldens do not.
static void hide_version(char *text)
{
    for (char *at; (at = strstr(text, HEARTH_VERSION "\""));)
        memmove(at, at + strlen(HEARTH_VERSION), strlen(at + strlen(HEARTH_VERSION)) + 1);
}

static void assert_golden(const char *name, const struct report_request *request)
{
    char path[128];
    size_t length;
    _cleanup_free_ char *got = write_report(request, NULL);
    hide_version(got);
    snprintf(path, sizeof(path), "tests/golden/report/%s", name);
    const char *mode = getenv("HEARTH_GOLDEN");
    if (mode && strcmp(mode, "write") == 0) {
        _cleanup_file_ FILE *file = fopen(path, "we");
        assert_non_null(file);
        fputs(got, file);
        return;
    }
    _cleanup_free_ char *expected = read_file(path, &length);
    if (strcmp(got, expected) != 0)
        print_error("differs from %s; what was written:\n%s\n", path, got);
    assert_true(strcmp(got, expected) == 0);
}

static void formats_are_as_they_were(void **state)
{
    (void)state;
    assert_golden("all.folded", &(struct report_request){.format = "folded"});
    assert_golden("lines.folded", &(struct report_request){.format = "folded", .lines = true});
    assert_golden("threads.folded",
                  &(struct report_request){.format = "folded", .group = &group_of_threads, .no_inline = true});
    assert_golden("all.top", &(struct report_request){.format = "top"});
    assert_golden("all.tree", &(struct report_request){.format = "tree"});
    assert_golden("all.json", &(struct report_request){.format = "json"});
    assert_golden("all.speedscope.json", &(struct report_request){.format = "speedscope"});
    assert_golden("main.source", &(struct report_request){.format = "source", .function = "main"});
    assert_golden("all.firefox.json", &(struct report_request){.format = "firefox"});
    assert_golden("all.perf.txt", &(struct report_request){.format = "script"});
    assert_golden("all.svg", &(struct report_request){.format = "svg"});
    assert_golden("calls.folded", &(struct report_request){.format = "folded", .event = "uprobe:./server:serve"});
    assert_golden("calls.top", &(struct report_request){.format = "top", .event = "uprobe:./server:serve"});
    assert_golden("calls.hist", &(struct report_request){.format = "hist", .event = "uprobe:./server:serve"});
    assert_golden("blkio.hist", &(struct report_request){.format = "hist", .event = "blkio"});
}

static uint64_t sum_of_folded(const char *text)
{
    uint64_t sum = 0;
    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        const char *end = strchr(line, '\n'), *space = memrchr(line, ' ', (size_t)(end - line));
        sum += strtoull(space + 1, NULL, 10);
    }
    return sum;
}

static void counts_add_up_to_the_samples(void **state)
{
    (void)state;
    static const uint32_t pid_10 = 10, tid_11 = 11, pid_none = 99;
    static const struct {
        struct report_request request;
        uint64_t samples;
    } cases[] = {
        {{0}, SAMPLES_ALL},
        {{.pids = &pid_10, .pid_count = 1}, 45},
        {{.tids = &tid_11, .tid_count = 1}, 8},
        {{.comm = "no*"}, 7},
        {{.has_uid = true, .uid = 1000}, 7},
        {{.cgroup = "/system.slice"}, 45},
        {{.until_ns = SAMPLE_START_NS + SAMPLE_STEP_NS}, 26},
        {{.since_ns = SAMPLE_START_NS + SAMPLE_STEP_NS, .pids = &pid_10, .pid_count = 1}, 23},
        {{.pids = &pid_none, .pid_count = 1}, 0},
        {{.since_ns = SAMPLE_START_NS + 100 * SAMPLE_STEP_NS}, 0},
        {{.group = &group_of_threads}, SAMPLES_ALL},
        {{.lines = true}, SAMPLES_ALL},
        {{.no_inline = true}, SAMPLES_ALL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct report_request request = cases[i].request;
        struct report_summary summary = {0};
        struct fault fault = {0};
        request.format = "folded";
        int err = report__write(store, &request, output, &summary, &fault);
        if (!cases[i].samples) {
            assert_int_equal(err, -ENODATA);
            assert_int_equal(fault.code, EXIT_CODE_EMPTY);
            continue;
        }
        size_t length;
        assert_int_equal(err, 0);
        _cleanup_free_ char *text = read_file(output, &length);
        assert_int_equal(summary.samples, cases[i].samples);
        assert_int_equal(sum_of_folded(text), cases[i].samples);
    }
}

static void buckets_choose_stacks(void **state)
{
    (void)state;
    struct report_request request = {
        .format = "folded", .event = "uprobe:./server:serve", .has_bucket_low = true, .bucket_low = 10000000};
    struct report_summary summary;
    _cleanup_free_ char *slow = write_report(&request, &summary);
    assert_string_equal(slow,
                        "worker;_start;main;serve;malloc;asm_exc_page_fault_[k];handle_mm_fault_[k];clear_page_[i] "
                        "1600000000\n");
    assert_int_equal(summary.samples, 100);
    request.has_bucket_low = false;
    request.has_bucket_high = true;
    request.bucket_high = 10000000;
    _cleanup_free_ char *fast = write_report(&request, &summary);
    assert_string_equal(fast, "server;_start;main;serve 400000000\n");
    assert_int_equal(summary.samples, 400);
}

// Of a histogram without stacks, svg and html are of its buckets; of a cut part that has no values, nothing.
static void buckets_are_drawn_where_no_stacks_are(void **state)
{
    (void)state;
    struct report_summary summary;
    struct report_request request = {.format = "svg", .event = "blkio"};
    _cleanup_free_ char *drawing = write_report(&request, &summary);
    assert_non_null(strstr(drawing, "<rect class=\"bar\""));
    assert_int_equal(summary.samples, 4);
    request.format = "flame";
    _cleanup_free_ char *page = write_report(&request, &summary);
    assert_non_null(strstr(page, "blkio, sda"));
    request.since_ns = SAMPLE_START_NS + 100 * SAMPLE_STEP_NS;
    assert_int_equal(report__write(store, &request, output, NULL, NULL), -ENODATA);
}

// The cells of the columns add up to the histogram's count, and two intervals of one length are two columns.
static void heat_maps_add_up(void **state)
{
    (void)state;
    struct report_summary summary;
    struct report_request request = {.format = "heatmap", .event = "blkio"};
    _cleanup_free_ char *page = write_report(&request, &summary);
    assert_int_equal(summary.samples, 4);
    assert_non_null(strstr(page, "\"values\":4,"));
    assert_non_null(strstr(page, "\"count\":2,"));
    double sum = 0;
    char *at = strstr(page, "\"cells\":[") + strlen("\"cells\":["), *end = strstr(at, "]]");
    while (at < end) {
        at += strcspn(at, "0123456789]");
        if (at >= end)
            break;
        if (*at == ']') {
            at++;
            continue;
        }
        strtoul(at, &at, 10); // the bucket
        sum += strtod(at + 1, &at);
    }
    assert_true(sum > 3.999 && sum < 4.001);
    request.event = "cpu";
    assert_int_equal(report__write(store, &request, output, NULL, NULL), -EINVAL);
}

static void losses_are_those_of_the_range(void **state)
{
    (void)state;
    struct report_summary summary;
    free(write_report(&(struct report_request){.format = "folded"}, &summary));
    assert_string_equal(summary.losses, "stack-cut 6, counts-full 2");
    free(write_report(&(struct report_request){.format = "folded", .until_ns = SAMPLE_START_NS + 1}, &summary));
    assert_string_equal(summary.losses, "stack-cut 5");
}

static void wrong_words_are_usage(void **state)
{
    (void)state;
    static const struct {
        struct report_request request;
        const char *output, *words;
    } cases[] = {
        {{.event = "cpus"}, "-", "holds cpu, uprobe:./server:serve, blkio"},
        {{.format = "flam"}, "-", "did you mean 'flame'"},
        {{.format = "bitmap"}, "-", "there are folded, flame"},
        {{0}, "report.bmp", "cannot tell the format"},
        {{.has_bucket_low = true, .bucket_low = 1}, "-", "has no buckets"},
        {{.format = "hist"}, "-", "has no buckets"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fault fault = {0};
        assert_int_equal(report__write(store, &cases[i].request, cases[i].output, NULL, &fault), -EINVAL);
        assert_int_equal(fault.code, EXIT_CODE_USAGE);
        if (!strstr(fault.text, cases[i].words))
            fail_msg("'%s' does not say '%s'", fault.text, cases[i].words);
    }
}

static void a_failed_report_leaves_the_old_one(void **state)
{
    (void)state;
    static const uint32_t pid_none = 99;
    struct report_request request = {.format = "folded"};
    size_t length;
    free(write_report(&request, NULL));
    _cleanup_free_ char *before = read_file(output, &length);
    request.pids = &pid_none;
    request.pid_count = 1;
    assert_int_equal(report__write(store, &request, output, NULL, NULL), -ENODATA);
    _cleanup_free_ char *after = read_file(output, &length);
    assert_string_equal(before, after);
    struct fault fault = {0};
    request.pid_count = 0;
    assert_int_equal(report__write(store, &request, "/nonexistent/x.folded", NULL, &fault), -ENOENT);
    assert_non_null(strstr(fault.text, "cannot write '/nonexistent/x.folded'"));
}

static void suffixes_name_formats(void **state)
{
    (void)state;
    static const struct {
        const char *path, *format;
    } cases[] = {
        {"x.html", "flame"},
        {"x.svg", "svg"},
        {"a/b.folded", "folded"},
        {"x.txt", "top"},
        {"x.json", "json"},
        {"x.pb.gz", "pprof"},
        {"x.otlp", "otlp"},
        {"x.speedscope.json", "speedscope"},
        {"x.tree", "tree"},
        {"x.source", "source"},
        {"x.firefox.json", "firefox"},
        {"x.perf.txt", "script"},
        {"x.hist", "hist"},
        {"x.hist.svg", "hist-svg"},
        {"x.hist.html", "hist-html"},
        {"x.heatmap.html", "heatmap"},
        {"x.heatmap.svg", "heatmap-svg"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(formats__of_file(cases[i].path)->name, cases[i].format);
        assert_true(report__is_report(cases[i].path));
    }
    static const char *const stores[] = {"x.db", "hearth.db", "html", ".html", "x.html.db", "-"};
    for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++)
        assert_false(report__is_report(stores[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_are_as_they_were), cmocka_unit_test(counts_add_up_to_the_samples),
        cmocka_unit_test(buckets_choose_stacks),    cmocka_unit_test(losses_are_those_of_the_range),
        cmocka_unit_test(wrong_words_are_usage),    cmocka_unit_test(a_failed_report_leaves_the_old_one),
        cmocka_unit_test(suffixes_name_formats),    cmocka_unit_test(buckets_are_drawn_where_no_stacks_are),
        cmocka_unit_test(heat_maps_add_up),
    };
    return cmocka_run_group_tests_name("report", tests, set_up, tear_down);
}
