#include "report/formats/web.h"

#include <string.h>

#include "report/text/embed.h"

EMBED(web_page, "report/web/page.html");
EMBED(web_style, "report/web/page.css");
EMBED(web_tree, "report/web/tree.js");
EMBED(web_sandwich, "report/web/sandwich.js");
EMBED(web_filters, "report/web/filters.js");
EMBED(web_collapse, "report/web/collapse.js");
EMBED(web_groups, "report/web/groups.js");
EMBED(web_menu, "report/web/menu.js");
EMBED(web_names, "report/web/names.js");
EMBED(web_draw, "report/web/draw.js");
EMBED(web_words, "report/web/words.js");
EMBED(web_panel, "report/web/panel.js");
EMBED(web_address, "report/web/address.js");
EMBED(web_pointer, "report/web/pointer.js");
EMBED(web_heatmap_page, "report/web/heatmap.html");
EMBED(web_serve_style, "report/web/serve.css");
EMBED(web_axis, "report/web/serve_axis.js");
EMBED(web_lanes, "report/web/serve_lanes.js");
EMBED(web_heatmap, "report/web/heatmap.js");
EMBED(web_script, "report/web/page.js");

const struct web_file web_files[] = {
    {"style", web_style_start, web_style_end},
    {"tree", web_tree_start, web_tree_end},
    {"names", web_names_start, web_names_end},
    {"draw", web_draw_start, web_draw_end},
    {"words", web_words_start, web_words_end},
    {"panel", web_panel_start, web_panel_end},
    {"address", web_address_start, web_address_end},
    {"pointer", web_pointer_start, web_pointer_end},
    {"script", web_script_start, web_script_end},
    {"serve_style", web_serve_style_start, web_serve_style_end},
    {"axis", web_axis_start, web_axis_end},
    {"lanes", web_lanes_start, web_lanes_end},
    {"sandwich", web_sandwich_start, web_sandwich_end},
    {"filters", web_filters_start, web_filters_end},
    {"collapse", web_collapse_start, web_collapse_end},
    {"groups", web_groups_start, web_groups_end},
    {"menu", web_menu_start, web_menu_end},
    {"heatmap", web_heatmap_start, web_heatmap_end},
    {0},
};

#define PLACE_BYTES 16

static int put_place(const char *name, int (*put_own)(const char *name, const void *context, FILE *file),
                     const void *context, FILE *file)
{
    for (const struct web_file *part = web_files; part->name; part++)
        if (strcmp(part->name, name) == 0) {
            fwrite(part->start, 1, (size_t)(part->end - part->start), file);
            return 0;
        }
    return put_own(name, context, file);
}

int web__put_page(const char *start, const char *end, int (*put_own)(const char *name, const void *context, FILE *file),
                  const void *context, FILE *file)
{
    int err = 0;
    const char *at = start, *close;
    for (const char *open; !err && (open = strstr(at, "{{")) && (close = strstr(open, "}}")); at = close + 2) {
        char name[PLACE_BYTES];
        snprintf(name, sizeof(name), "%.*s", (int)(close - open - 2), open + 2);
        fwrite(at, 1, (size_t)(open - at), file);
        err = put_place(name, put_own, context, file);
    }
    fwrite(at, 1, (size_t)(end - at), file);
    return err;
}
