// A file that the build puts into the binary: EMBED(web_page, "report/web/page.html") makes web_page_start and
// web_page_end. The paths are relative to the root of the tree, where make runs the compiler.
#ifndef HEARTH_REPORT_TEXT_EMBED_H
#define HEARTH_REPORT_TEXT_EMBED_H

#define EMBED(symbol, path)                                                                                            \
    __asm__(".pushsection .rodata\n"                                                                                   \
            ".global " #symbol "_start\n" #symbol "_start:\n"                                                          \
            ".incbin \"" path "\"\n"                                                                                   \
            ".global " #symbol "_end\n" #symbol "_end:\n"                                                              \
            ".byte 0\n.popsection\n");                                                                                 \
    extern const char symbol##_start[], symbol##_end[]

#endif
