# Two precompiled headers serve all targets: the libraries' and the tests', which are compiled for executables, with
# the tests' options. Only headers from outside are in them, so that no change of ours recompiles everything.
if(NOT WOLKE_PRECOMPILE)
  function(wolke_precompile)
  endfunction()
  return()
endif()

set(library_headers <algorithm> <array> <atomic> <charconv> <chrono> <coroutine> <cstring> <deque> <expected> <filesystem>
    <fmt/format.h> <fstream> <functional> <map> <memory> <mutex> <optional> <set> <span> <string> <string_view> <thread>
    <unordered_map> <utility> <variant> <vector>)
file(WRITE ${CMAKE_BINARY_DIR}/precompile/empty.cc "")

add_library(wolke_precompiled OBJECT ${CMAKE_BINARY_DIR}/precompile/empty.cc)
target_link_libraries(wolke_precompiled PRIVATE fmt::fmt)
target_precompile_headers(wolke_precompiled PRIVATE ${library_headers})

add_library(wolke_precompiled_test OBJECT ${CMAKE_BINARY_DIR}/precompile/empty.cc)
target_link_libraries(wolke_precompiled_test PRIVATE fmt::fmt GTest::gtest)
target_compile_options(wolke_precompiled_test PRIVATE -fPIE ${WOLKE_TEST_OPTIONS})
set_target_properties(wolke_precompiled_test PROPERTIES POSITION_INDEPENDENT_CODE OFF)
target_precompile_headers(wolke_precompiled_test PRIVATE ${library_headers} <gtest/gtest.h>)

# wolke_precompile(TARGET OF): TARGET is compiled with the header of OF.
function(wolke_precompile target of)
  target_precompile_headers(${target} REUSE_FROM ${of})
endfunction()
