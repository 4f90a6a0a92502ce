// Which alias is shown, what a mangled name becomes, and that no name can write to a terminal.
#include "symbolizer/symbols/symbol_name.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void aliases_follow_one_rule(void **state)
{
    (void)state;
    static const struct {
        uint8_t binding;
        const char *name;
    } best_first[] = {{STB_GLOBAL, "read"}, {STB_GLOBAL, "reads"}, {STB_GLOBAL, "_read"},
                      {STB_GLOBAL, "__a"},  {STB_WEAK, "a"},       {STB_WEAK, "b"},
                      {STB_WEAK, "__read"}, {STB_LOCAL, "a"},      {STB_LOCAL, "__GI_read"}};
    const size_t count = sizeof(best_first) / sizeof(best_first[0]);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            if (i != j)
                assert_int_equal(symbol_name__is_better(best_first[i].binding, best_first[i].name,
                                                        best_first[j].binding, best_first[j].name),
                                 i < j);
}

static void demangles(void **state)
{
    (void)state;
    static const struct {
        const char *mangled, *shown;
    } names[] = {{"_ZN5outer4showEi", "outer::show(int)"},
                 {"_ZN3FooC4Ev", "Foo::Foo()"},
                 {"_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE", "core::fmt::Write::write_fmt"},
                 {"_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar"},
                 {"_D3app5serveFiZv", "app.serve(int)"},
                 {"_ZN5outer4showEi.isra.0", "outer::show(int) [clone .isra.0]"},
                 {"camlStdlib__List__map_123", "Stdlib.List.map"}, // OCaml before 5.1
                 {"camlT__fun_545", "T.fun"},
                 {"camlT__$2b$2b$2b_81", "T.+++"},
                 {"camlT__spin$27_88", "T.spin'"},
                 {"camlT__my_fun_2_88", "T.my_fun_2"},
                 {"camlT___x_3", "T._x"},
                 {"camlT__entry", "T.entry"},
                 {"camlStdlib__List.map_123", "Stdlib.List.map"}, // since 5.1
                 {"camlStdlib__List$map_123", "Stdlib.List.map"},
                 {"camlT.$3e$3e$3d_7", "T.>>="},
                 {"camlT$$$3e$$3e_7", "T.>>"},
                 {"camlT__x$00y_1", NULL},
                 {"camlT", NULL},
                 {"caml_alloc_small", NULL},
                 {"camlCase", NULL},
                 {"main", NULL},
                 {"_Znonsense", NULL},
                 {"_D", NULL},
                 {"", NULL}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *shown = NULL;
        int err = symbol_name__demangle(names[i].mangled, &shown);
        if (names[i].shown) {
            assert_int_equal(err, 0);
            assert_string_equal(shown, names[i].shown);
        } else {
            assert_true(err < 0);
        }
        free(shown);
    }
}

static void escapes_what_a_terminal_obeys(void **state)
{
    (void)state;
    static const struct {
        const char *name, *shown;
    } names[] = {{"plain<int>::name", "plain<int>::name"},
                 {"a\033[31mb\n", "a\\x1b[31mb\\x0a"},
                 {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"}, // UTF-8 is shown
                 {"\xc2\x9b"
                  "31m",
                  "\\x9b31m"},                        // CSI as one C1 control
                 {"a\xff\xc3", "a\\xff\\xc3"},        // no UTF-8, and cut UTF-8
                 {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, // a surrogate
                 {"x\xe2\x80\xaey", "x\\u202ey"},     // right-to-left override
                 {"", ""}};
    char out[64];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(symbol_name__escape(names[i].name, out, sizeof(out)), strlen(names[i].shown));
        assert_string_equal(out, names[i].shown);
    }
    assert_int_equal(symbol_name__escape("ab\n", out, 6), 2); // an escape is whole or not there
    assert_string_equal(out, "ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(aliases_follow_one_rule), cmocka_unit_test(demangles),
                                       cmocka_unit_test(escapes_what_a_terminal_obeys)};
    return cmocka_run_group_tests_name("symbol_name", tests, NULL, NULL);
}
