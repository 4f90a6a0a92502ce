#include "report/serve/routes.h"

#include <string.h>

#include "report/formats/web.h"
#include "report/text/embed.h"

EMBED(serve_page, "report/web/serve.html");
EMBED(serve_script, "report/web/serve.js");

#define SCRIPT "text/javascript; charset=utf-8"
#define STYLE  "text/css; charset=utf-8"
#define JSON   "application/json"
#define PACKED "application/octet-stream"
#define PLAIN  "text/plain; charset=utf-8"

// The only list of them. draw.js and page.css are those of the flame graph's page.
static const struct route routes[] = {
    {"/", "text/html; charset=utf-8", serve_page_start, serve_page_end, NULL},
    {"/serve.css", STYLE, web_serve_style_start, web_serve_style_end, NULL},
    {"/page.css", STYLE, web_style_start, web_style_end, NULL},
    {"/draw.js", SCRIPT, web_draw_start, web_draw_end, NULL},
    {"/serve_axis.js", SCRIPT, web_axis_start, web_axis_end, NULL},
    {"/serve_lanes.js", SCRIPT, web_lanes_start, web_lanes_end, NULL},
    {"/serve.js", SCRIPT, serve_script_start, serve_script_end, NULL},
    {"/api/events", JSON, NULL, NULL, answer_events},
    {"/api/timeline", JSON, NULL, NULL, answer_timeline},
    {"/api/heatmap", JSON, NULL, NULL, answer_heatmap},
    {"/api/flame", NULL, NULL, NULL, answer_flame},
    {"/api/diff", NULL, NULL, NULL, answer_diff},
};

const struct route *routes__find(const char *path)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
        if (strcmp(routes[i].path, path) == 0)
            return &routes[i];
    return NULL;
}

#define OURS        "; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
#define PAGE_POLICY "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'" OURS
// The one-file page has its script and style in it, and loads nothing.
#define FILE_POLICY "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'" OURS
#define DATA_POLICY "default-src 'none'; style-src 'unsafe-inline'; sandbox"

static const struct {
    const char *format;
    struct body body;
} bodies[] = {
    {"html", {"text/html; charset=utf-8", FILE_POLICY, "hearth.html"}},
    {"flame", {"text/html; charset=utf-8", FILE_POLICY, "hearth.html"}},
    {"flame-data", {JSON, DATA_POLICY, "hearth.flame.json"}},
    {"svg", {"image/svg+xml", DATA_POLICY, "hearth.svg"}},
    {"heatmap", {"text/html; charset=utf-8", FILE_POLICY, "hearth.heatmap.html"}},
    {"heatmap-svg", {"image/svg+xml", DATA_POLICY, "hearth.heatmap.svg"}},
    {"hist-html", {"text/html; charset=utf-8", DATA_POLICY, "hearth.hist.html"}},
    {"hist-svg", {"image/svg+xml", DATA_POLICY, "hearth.hist.svg"}},
    {"pprof", {PACKED, DATA_POLICY, "hearth.pb.gz"}},
    {"otlp", {"application/x-protobuf", DATA_POLICY, "hearth.otlp"}},
    {"json", {JSON, DATA_POLICY, "hearth.json"}},
    {"speedscope", {JSON, DATA_POLICY, "hearth.speedscope.json"}},
    {"firefox", {JSON, DATA_POLICY, "hearth.firefox.json"}},
    {"script", {PLAIN, DATA_POLICY, "hearth.perf.txt"}},
};

void routes__describe(const struct route *route, const struct question *question, struct body *ret_body)
{
    const char *format = question__find(question, "format");
    *ret_body = (struct body){route->type, DATA_POLICY, NULL};
    if (route->type) {
        ret_body->policy = route->answer ? DATA_POLICY : PAGE_POLICY;
        return;
    }
    *ret_body = (struct body){PLAIN, DATA_POLICY, "hearth.txt"};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        if (strcmp(bodies[i].format, format ? format : "flame-data") == 0)
            *ret_body = bodies[i].body;
    if (!question__find(question, "download"))
        ret_body->file = NULL;
}

bool routes__packs_itself(const struct route *route, const struct question *question)
{
    struct body body;
    routes__describe(route, question, &body);
    return strcmp(body.type, PACKED) == 0;
}
