# SPDX-License-Identifier: Apache-2.0
# mu_part(NAME [USES part...] [LIBS library...]): the static library mu_NAME of src/NAME/*.cc.
# A part sees the contracts of include/ and its own folder through the root of src/.
function(mu_part name)
  cmake_parse_arguments(PART "" "" "USES;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc)
  list(TRANSFORM PART_USES PREPEND mu_)
  if(sources)
    add_library(mu_${name} STATIC ${sources})
    set(scope PUBLIC)
    mu_warnings(mu_${name})
  else()
    add_library(mu_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(mu_${name} ${scope} ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src
    ${CMAKE_BINARY_DIR}/generated)
  target_compile_definitions(mu_${name} ${scope} MU_VERSION="${PROJECT_VERSION}")
  target_link_libraries(mu_${name} ${scope} ${PART_USES} ${PART_LIBS})
endfunction()

# mu_proto(TARGET FILE): adds the code that protoc makes of FILE, without our warnings.
function(mu_proto target file)
  get_filename_component(name ${file} NAME_WE)
  get_filename_component(folder ${file} DIRECTORY)
  set(out ${CMAKE_BINARY_DIR}/generated)
  file(MAKE_DIRECTORY ${out})
  add_custom_command(OUTPUT ${out}/${name}.pb.cc ${out}/${name}.pb.h
    COMMAND ${MU_PROTOC} --proto_path=${folder} --cpp_out=${out} ${file} DEPENDS ${file} VERBATIM)
  set_source_files_properties(${out}/${name}.pb.cc PROPERTIES COMPILE_OPTIONS "-w")
  target_sources(${target} PRIVATE ${out}/${name}.pb.cc)
  target_include_directories(${target} SYSTEM BEFORE PRIVATE ${out})
endfunction()

# mu_test(NAME [USES part...]): the test program test_NAME of the *_test.cc files of this folder.
function(mu_test name)
  cmake_parse_arguments(TEST "" "" "USES;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cc)
  if(NOT sources)
    return()
  endif()
  list(TRANSFORM TEST_USES PREPEND mu_)
  add_executable(test_${name} ${sources})
  target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(test_${name} PRIVATE MU_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data"
    MU_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_link_libraries(test_${name} PRIVATE ${TEST_USES} ${TEST_LIBS} GTest::gtest_main)
  mu_warnings(test_${name})
  gtest_discover_tests(test_${name} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 600 LABELS ${name})
endfunction()
