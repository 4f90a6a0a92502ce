// Recordings beside the daemon's own: which words are refused, how an end is told, and how many there may be. The
// starter runs its own program as `hearth record`: this one, which does then what the words of -C say.
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "collector/daemon/side_recordings.h"
#include "collector/daemon/side_words.h"
#include "collector/session/loop.h"
#include "store/base/limits.h"
#include "store/directory/incidents.h"

static volatile sig_atomic_t is_told;

static void on_term(int number)
{
    (void)number;
    is_told = 1;
}

static const char *value_of(char **argv, const char *letter)
{
    while (*argv && strcmp(*argv, letter) != 0)
        argv++;
    return *argv ? argv[1] : "";
}

// -C 0: ends well at once; -C 1: with an error; -C 2: when it is told to; -C 3: takes 4 MiB, and ends when it is told
// to.
static int record(char **argv)
{
    FILE *store = fopen(value_of(argv, "-o"), "we");
    const char *how = value_of(argv, "-C");
    signal(SIGTERM, on_term);
    for (int i = 0; *how == '3' && i < 4 << 20; i++)
        fputc('x', store);
    fprintf(store, "%d", (int)getpid());
    fclose(store);
    while ((*how == '2' || *how == '3') && !is_told)
        usleep(1000);
    fprintf(stderr, "hearth: a line\nhearth: %s\n", *how == '1' ? "an error" : "done");
    return *how == '1' ? 3 : 0;
}

static void refuses_words(void **state)
{
    (void)state;
    static const struct {
        const char *words[6];
        const char *said;
    } cases[] = {
        {{"-p", "1"}, "give -d SECONDS, 600 at most"},
        {{"-d", "601"}, "give -d SECONDS, 600 at most"},
        {{"-d", "1", "-o", "/etc/passwd"}, "leave -o out"},
        {{"-d1", "-o/etc/passwd"}, "leave -o out"},
        {{"-d", "1", "--output=hearth.db"}, "leave -o out"},
        {{"-d", "1", "sh"}, "cannot run 'sh'"},
        {{"-d", "1", "--", "sh", "-c", "id"}, "cannot run 'sh'"},
        {{"-d", "1", "--max-cpu", "100%"}, "--max-cpu"},
        {{"-d", "1", "-e", "nonsense"}, "unknown event 'nonsense'"},
        {{"-d", "1", "--hist", "nonsense"}, "unknown probe 'nonsense'"},
        {{"-d", "1", "--frq", "1"}, "did you mean '--freq'"},
        {{"-d", "1", "-F", "9", "-c", "9"}, "exclude each other"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fault fault = {0};
        int count = 0;
        while (count < 6 && cases[i].words[count])
            count++;
        if (side_words__check(count, cases[i].words, &fault) != -EINVAL || fault.code != EXIT_CODE_USAGE ||
            !strstr(fault.text, cases[i].said))
            fail_msg("'%s' lacks '%s'", fault.text, cases[i].said);
    }
    const char *good[] = {"-p", "1", "-F", "999", "-e", "cpu", "-e", "off-cpu", "-d", "600"};
    assert_int_equal(side_words__check(10, good, NULL), 0);
    static char longest[LIMIT_SIDE_WORD_BYTES];
    memset(longest, 'x', sizeof(longest) - 1);
    const char *much[] = {"-d", "1", "--comm", longest};
    assert_int_equal(side_words__check(4, much, NULL), -EINVAL);
}

struct bench {
    char directory[64];
    struct loop *loop;
    struct side_recordings *sides;
    struct side_end last;
    char path[512], said[256];
    int ends;
};

static void on_end(void *context, const struct side_end *end)
{
    struct bench *bench = context;
    bench->last = *end;
    bench->ends++;
    snprintf(bench->path, sizeof(bench->path), "%s", end->path);
    snprintf(bench->said, sizeof(bench->said), "%s", end->said);
    if (bench->loop)
        loop__stop(bench->loop);
}

static int make_bench(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    snprintf(bench->directory, sizeof(bench->directory), "/tmp/hearth-side.XXXXXX");
    assert_non_null(mkdtemp(bench->directory));
    assert_int_equal(side_recordings__new(bench->directory, &bench->sides), 0);
    *state = bench;
    return 0;
}

static int free_bench(void **state)
{
    struct bench *bench = *state;
    uint64_t bytes = 1;
    char folder[128];
    side_recordings__free(bench->sides);
    loop__free(bench->loop);
    while (bytes)
        assert_int_equal(incidents__remove_oldest(bench->directory, UINT64_MAX, &bytes), 0);
    snprintf(folder, sizeof(folder), "%s/" INCIDENTS_FOLDER, bench->directory);
    rmdir(folder);
    assert_int_equal(rmdir(bench->directory), 0);
    free(bench);
    return 0;
}

static int begin(struct bench *bench, const char *how, struct fault *fault, uint64_t *ret_id)
{
    const char *words[] = {"-d", "600", "-C", how};
    struct side_request request = {.argc = 4, .argv = words, .why = "a test", .ended = on_end, .context = bench};
    return side_recordings__begin(bench->sides, &request, fault, ret_id);
}

// Until the end of one is told. A loop that was stopped stays so: each has its own, as recordings of the daemon have.
static void wait_for_end(struct bench *bench)
{
    loop__free(bench->loop);
    assert_int_equal(loop__new(&bench->loop), 0);
    assert_int_equal(side_recordings__watch(bench->sides, bench->loop), 0);
    assert_int_equal(loop__run(bench->loop, NULL), 0);
}

static long pid_in(const char *path)
{
    long pid = 0;
    FILE *file = fopen(path, "re");
    if (file && fscanf(file, "%ld", &pid) != 1)
        pid = 0;
    if (file)
        fclose(file);
    return pid;
}

static void tells_an_end(void **state)
{
    struct bench *bench = *state;
    struct side_shown shown;
    uint64_t id;
    assert_int_equal(begin(bench, "0", NULL, &id), 0);
    assert_true(side_recordings__show(bench->sides, 0, &shown));
    assert_string_equal(shown.words, "-d 600 -C 0");
    assert_false(side_recordings__show(bench->sides, 1, &shown));
    wait_for_end(bench);
    assert_int_equal(bench->last.exit_code, 0);
    assert_int_equal(bench->last.id, id);
    assert_true(pid_in(bench->path) > 0);
    assert_false(side_recordings__show(bench->sides, 0, &shown));
    assert_int_equal(begin(bench, "1", NULL, &id), 0);
    wait_for_end(bench);
    assert_int_equal(bench->last.exit_code, 3);
    assert_string_equal(bench->said, "hearth: a line\nhearth: an error\n");
}

static void ends_early(void **state)
{
    struct bench *bench = *state;
    struct side_shown shown;
    uint64_t id;
    assert_int_equal(begin(bench, "2", NULL, &id), 0);
    assert_true(side_recordings__show(bench->sides, 0, &shown));
    while (!pid_in(shown.path))
        usleep(1000);
    side_recordings__end(bench->sides, id);
    wait_for_end(bench);
    assert_int_equal(bench->last.exit_code, 0);
}

static void ends_one_that_outgrows_its_part(void **state)
{
    struct bench *bench = *state;
    struct side_shown shown;
    uint64_t id, bytes;
    assert_int_equal(begin(bench, "3", NULL, &id), 0);
    assert_true(side_recordings__show(bench->sides, 0, &shown));
    while (access(shown.path, F_OK) != 0 || incidents__bytes(bench->directory) < 4 << 20)
        usleep(1000);
    side_recordings__check_sizes(bench->sides);
    side_recordings__bound(bench->sides, 16 << 20);
    side_recordings__check_sizes(bench->sides);
    wait_for_end(bench);
    assert_int_equal(bench->ends, 1);
    assert_int_equal(begin(bench, "0", NULL, &id), 0); // the next one removes what is too much
    wait_for_end(bench);
    assert_true(incidents__bytes(bench->directory) < 1 << 20);
    assert_int_equal(incidents__remove_oldest(bench->directory, UINT64_MAX, &bytes), 0);
    assert_int_equal(incidents__remove_oldest(bench->directory, UINT64_MAX, &bytes), 0);
    assert_int_equal(bytes, 0);
}

static void bounds_how_many(void **state)
{
    struct bench *bench = *state;
    struct fault fault = {0};
    uint64_t ids[LIMIT_SIDE_AT_ONCE], id;
    for (size_t i = 0; i < LIMIT_SIDE_AT_ONCE; i++)
        assert_int_equal(begin(bench, "2", NULL, &ids[i]), 0);
    assert_int_equal(begin(bench, "0", &fault, &id), -EBUSY);
    assert_non_null(strstr(fault.text, "run already"));
    for (size_t i = 0; i < LIMIT_SIDE_AT_ONCE; i++) {
        side_recordings__end(bench->sides, ids[i]);
        wait_for_end(bench);
    }
    for (int i = LIMIT_SIDE_AT_ONCE; i < LIMIT_SIDE_AN_HOUR; i++) {
        assert_int_equal(begin(bench, "0", NULL, &id), 0);
        wait_for_end(bench);
    }
    assert_int_equal(begin(bench, "0", &fault, &id), -EDQUOT);
    assert_int_equal(bench->ends, LIMIT_SIDE_AN_HOUR);
}

static void all_end_with_the_daemon(void **state)
{
    struct bench *bench = *state;
    struct side_shown shown;
    char path[512];
    long pid;
    uint64_t id;
    assert_int_equal(begin(bench, "2", NULL, &id), 0);
    assert_true(side_recordings__show(bench->sides, 0, &shown));
    snprintf(path, sizeof(path), "%s", shown.path);
    while (!(pid = pid_in(path)))
        usleep(1000);
    side_recordings__free(take_pointer(bench->sides));
    assert_int_equal(bench->ends, 1);
    assert_int_equal(kill((pid_t)pid, 0), -1);
    assert_int_equal(errno, ESRCH);
}

static void names_sort_by_time(void **state)
{
    (void)state;
    char name[INCIDENT_NAME_BYTES];
    uint64_t wall_ns;
    incident__name(1764365085999999999u, 12, name);
    assert_string_equal(name, "20251128T212445Z-12.db");
    assert_true(incident__parse(name, &wall_ns));
    assert_int_equal(wall_ns, 1764365085000000000u);
    static const char *const others[] = {"",
                                         "20251128T212445Z-12.db-wal",
                                         "20251128T212445Z-.db",
                                         "../20251128T212445Z-1.db",
                                         "20251128T212445Z-01.db",
                                         "20251332T212445Z-1.db"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(incident__parse(others[i], &wall_ns));
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "record") == 0)
        return record(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_words),
        cmocka_unit_test(names_sort_by_time),
        cmocka_unit_test_setup_teardown(tells_an_end, make_bench, free_bench),
        cmocka_unit_test_setup_teardown(ends_early, make_bench, free_bench),
        cmocka_unit_test_setup_teardown(ends_one_that_outgrows_its_part, make_bench, free_bench),
        cmocka_unit_test_setup_teardown(bounds_how_many, make_bench, free_bench),
        cmocka_unit_test_setup_teardown(all_end_with_the_daemon, make_bench, free_bench),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
