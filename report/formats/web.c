#include "report/formats/web.h"

#include "report/text/embed.h"

EMBED(web_page, "report/web/page.html");
EMBED(web_style, "report/web/page.css");
EMBED(web_tree, "report/web/tree.js");
EMBED(web_names, "report/web/names.js");
EMBED(web_draw, "report/web/draw.js");
EMBED(web_words, "report/web/words.js");
EMBED(web_panel, "report/web/panel.js");
EMBED(web_address, "report/web/address.js");
EMBED(web_pointer, "report/web/pointer.js");
EMBED(web_script, "report/web/page.js");

const struct web_file web_files[] = {
    {"style", web_style_start, web_style_end},       {"tree", web_tree_start, web_tree_end},
    {"names", web_names_start, web_names_end},       {"draw", web_draw_start, web_draw_end},
    {"words", web_words_start, web_words_end},       {"panel", web_panel_start, web_panel_end},
    {"address", web_address_start, web_address_end}, {"pointer", web_pointer_start, web_pointer_end},
    {"script", web_script_start, web_script_end},    {0},
};
