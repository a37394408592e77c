# SPDX-License-Identifier: Apache-2.0
option(MU_WERROR "Warnings are errors" OFF)
function(mu_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
    -Woverloaded-virtual -Wimplicit-fallthrough $<$<BOOL:${MU_WERROR}>:-Werror>)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    return()
  endif()
  if(MU_SANITIZE)
    # gcc 12 reports false positives of these two under sanitizers (GCC bugs 105562, 105329).
    target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized -Wno-restrict)
  else()
    # And of this one with -O3 (GCC bug 105651).
    target_compile_options(${target} PRIVATE -Wno-restrict)
  endif()
endfunction()
if(MU_SANITIZE)
  add_compile_options(-fsanitize=${MU_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=${MU_SANITIZE})
endif()
