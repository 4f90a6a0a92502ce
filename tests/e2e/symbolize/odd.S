/* Debug information that our own reader refuses, and libdw does not. outer (line 18) has leaf (line 6) inlined into it, at
   the symbol marker. One of these is defined:
     ODD_FORM       an entry of a vendor's form, whose length nobody knows, says where the next entry is
     ODD_ATTRIBUTE  the number of an attribute has more than 16 bits
     ODD_ABBREV     the last abbreviation, which no entry has, is cut off
     ODD_DEPTH      600 blocks within each other
     ODD_VERSION    the first of two units is of a version to come: both readers refuse it
   and with none of them the debug information is as sound as any. */
	.file 1 "odd.c"
	.text
	.globl outer
	.type outer, %function
outer:
	.loc 1 18
	nop
.Lleaf:
	.loc 1 6
	.globl marker
marker:
	nop
	nop
.Lleaf_end:
	.loc 1 19
	nop
	ret
.Louter_end:
	.size outer, . - outer

	.section .debug_line, "", %progbits
.Llines:

	.section .debug_info, "", %progbits
.Lunit:
	.4byte .Lunit_end - 0f
0:
	.2byte 4
	.4byte .Labbrevs
	.byte 8
	.uleb128 1
	.asciz "odd.c"
	.8byte outer
	.8byte .Louter_end - outer
	.4byte .Llines
	.2byte 12
#ifdef ODD_FORM
	.uleb128 5
	.4byte 1f - .Lunit
	.byte 3, 2, 1
1:
#endif
#ifdef ODD_ATTRIBUTE
	.uleb128 6
	.byte 7
#endif
.Labstract:
	.uleb128 2
	.asciz "leaf"
	.uleb128 3
	.asciz "outer"
	.8byte outer
	.8byte .Louter_end - outer
#ifdef ODD_DEPTH
	.rept 600
	.uleb128 7
	.endr
#endif
	.uleb128 4
	.4byte .Labstract - .Lunit
	.8byte .Lleaf
	.8byte .Lleaf_end - .Lleaf
	.byte 1, 18
#ifdef ODD_DEPTH
	.rept 600
	.byte 0
	.endr
#endif
	.byte 0
	.byte 0
.Lunit_end:
#ifdef ODD_VERSION
	.4byte 8
	.2byte 9
	.4byte 0
	.byte 8, 0
#endif

	.section .debug_abbrev, "", %progbits
.Labbrevs:
	/* DW_TAG_compile_unit: name, low_pc, high_pc, stmt_list, language */
	.uleb128 1, 0x11
	.byte 1
	.uleb128 0x03, 0x08, 0x11, 0x01, 0x12, 0x07, 0x10, 0x17, 0x13, 0x05, 0, 0
	/* DW_TAG_subprogram: name */
	.uleb128 2, 0x2e
	.byte 0
	.uleb128 0x03, 0x08, 0, 0
	/* DW_TAG_subprogram: name, low_pc, high_pc */
	.uleb128 3, 0x2e
	.byte 1
	.uleb128 0x03, 0x08, 0x11, 0x01, 0x12, 0x07, 0, 0
	/* DW_TAG_inlined_subroutine: abstract_origin, low_pc, high_pc, call_file, call_line */
	.uleb128 4, 0x1d
	.byte 0
	.uleb128 0x31, 0x13, 0x11, 0x01, 0x12, 0x07, 0x58, 0x0b, 0x59, 0x0b, 0, 0
#ifdef ODD_FORM
	/* DW_TAG_variable: sibling, DW_AT_lo_user with form 0x3e01 */
	.uleb128 5, 0x34
	.byte 0
	.uleb128 0x01, 0x13, 0x2000, 0x3e01, 0, 0
#endif
#ifdef ODD_ATTRIBUTE
	/* DW_TAG_variable: attribute 0x12345 with DW_FORM_data1 */
	.uleb128 6, 0x34
	.byte 0
	.uleb128 0x12345, 0x0b, 0, 0
#endif
#ifdef ODD_DEPTH
	/* DW_TAG_lexical_block */
	.uleb128 7, 0x0b
	.byte 1
	.uleb128 0, 0
#endif
#ifdef ODD_ABBREV
	.uleb128 8, 0x34
	.byte 0
	.uleb128 0x03
#else
	.byte 0
#endif
	.section .note.GNU-stack, "", %progbits
