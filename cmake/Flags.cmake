# Compile and link flags of every target. WOLKE_SANITIZE is empty, "address" (with undefined) or "thread".
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(WOLKE_SANITIZE "" CACHE STRING "address or thread")
option(WOLKE_FUZZ "build the fuzz targets (libFuzzer)" OFF)
option(WOLKE_WERROR "warnings are errors" ON)
option(WOLKE_PRECOMPILE "parse the standard library once; off where each file shall prove that it names its headers" OFF)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

# A reproducible build says nothing of where it was made.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}=. -ffile-prefix-map=${CMAKE_BINARY_DIR}=build)
add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wno-missing-field-initializers
                    -Wno-missing-designated-field-initializers)
add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>)
if(WOLKE_WERROR)
  add_compile_options(-Werror)
endif()
# libstdc++ 12's own std::stable_sort calls a function that it marks deprecated.
add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-deprecated-declarations>)
add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection -ftrivial-auto-var-init=zero
                    -fstrict-flex-arrays=3 -fno-omit-frame-pointer)
add_compile_definitions(_GLIBCXX_ASSERTIONS)
add_link_options(-fuse-ld=lld -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code)
if(NOT WOLKE_SANITIZE)
  add_compile_options($<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
endif()
if(WOLKE_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
elseif(WOLKE_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
endif()
if(WOLKE_FUZZ)
  # Coverage for the fuzzers in the libraries, not only in the targets' own files.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(WOLKE_SANITIZE)
  # Half of a sanitized build is optimizing; the tests' own code does not need it.
  set(WOLKE_TEST_OPTIONS -O0)
endif()

if(WOLKE_PRECOMPILE)
  # Without the time in it, the compiler cache knows a precompiled header again.
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
endif()
