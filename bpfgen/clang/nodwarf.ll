; A module that says nothing but that debug information is CodeView. Linked into another one whose DWARF version is 0, it
; keeps clang's BPF target from writing DWARF; BTF is written all the same (LLVM's AsmPrinter::doInitialization).
!llvm.module.flags = !{!0}
!0 = !{i32 2, !"CodeView", i32 1}
