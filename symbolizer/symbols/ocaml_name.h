// Names of ocamlopt's code, made readable:
//
//   camlStdlib__List__map_123        Stdlib.List.map       modules, then the function and a stamp (OCaml before 5.1)
//   camlStdlib__List.map_123         Stdlib.List.map       since 5.1; `$` for the dot where assemblers know none
//   camlT__$2b$2b$2b_81              T.+++                 `$` and two hex digits for all but letters, digits and `_`
//   camlT__fun_545                   T.fun                 a function without a name
//
// The stamp, which the compiler counts up, is left out.
#ifndef HEARTH_SYMBOLIZER_SYMBOLS_OCAML_NAME_H
#define HEARTH_SYMBOLIZER_SYMBOLS_OCAML_NAME_H

#include <stdbool.h>

#include "store/base/buf.h"

// "caml" and a module, whose name begins with a capital letter. The runtime's C functions begin with "caml_".
bool ocaml_name__is_mangled(const char *name);
// Appends it without a NUL; nothing where it stays as it is.
void ocaml_name__append(const char *name, struct buf *text);

#endif
