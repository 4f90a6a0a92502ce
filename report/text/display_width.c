#include "report/text/display_width.h"

#include <stdint.h>
#include <wchar.h>

#include "store/base/safe_text.h"

#define ELLIPSIS       "\xe2\x80\xa6"
#define COMBINING_MOST 4 // of one cell: ncurses keeps no more (CCHARW_MAX)

static size_t width_of(int32_t point, bool is_utf8)
{
    int width = is_utf8 && point >= 0x80 ? wcwidth((wchar_t)point) : 1;
    return width < 0 ? 1 : (size_t)width;
}

static void put(struct buf *buf, const char *from, const char *to, int32_t point, bool is_utf8)
{
    bool shows = point >= 0x20 && (point < 0x80 || (is_utf8 && wcwidth((wchar_t)point) >= 0));
    if (shows)
        buf__append(buf, from, (size_t)(to - from));
    else
        buf__append_byte(buf, '?');
}

// Where the text ends that fits; *ret_is_cut: something comes behind it.
static const char *find_end(const char *clean, size_t columns, bool is_utf8, bool *ret_is_cut)
{
    const char *at = clean, *fits = clean;
    size_t width = 0;
    while (*at) {
        const char *from = at;
        size_t more = width_of(safe_text__next(&at), is_utf8);
        if (more && width < columns)
            fits = from; // the sign would stand in place of this one
        if (width + more > columns) {
            *ret_is_cut = true;
            return fits;
        }
        width += more;
    }
    *ret_is_cut = false;
    return at;
}

size_t display_width__append(struct buf *buf, const char *clean, size_t columns, bool is_utf8)
{
    bool is_cut;
    unsigned combining = 0;
    size_t width = 0;
    const char *at = clean, *end = find_end(clean, columns, is_utf8, &is_cut);
    while (at < end) {
        const char *from = at;
        int32_t point = safe_text__next(&at);
        size_t more = width_of(point, is_utf8);
        combining = more ? 0 : combining + 1;
        if (combining <= COMBINING_MOST)
            put(buf, from, at, point, is_utf8);
        width += more;
    }
    if (!is_cut || columns == 0)
        return width;
    buf__append_string(buf, is_utf8 ? ELLIPSIS : "+");
    return width + 1;
}
