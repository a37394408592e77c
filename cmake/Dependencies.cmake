# SPDX-License-Identifier: Apache-2.0
# Each library is one interface target, so that a part links only what it names. All come from Debian 12.
find_package(Threads REQUIRED)
if(MU_STATIC)
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
  set(OPENSSL_USE_STATIC_LIBS ON)
  set(Boost_USE_STATIC_LIBS ON)
  set(Protobuf_USE_STATIC_LIBS ON)
  # The linker warns of each name lookup in a static binary; that lookups work, in a container too, is tested.
  add_link_options(-static -Wl,--no-warnings)
endif()
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(OpenSSL REQUIRED)

function(mu_library name)
  add_library(${name} INTERFACE)
  target_link_libraries(${name} INTERFACE ${ARGN})
endfunction()

# Never header-only: each file would compile all of fmt again, which took three quarters of the time of a sanitized build.
# Debian has no static archive of it, so that the static binary makes its own from the headers.
if(MU_STATIC)
  add_library(mu_fmt_archive STATIC ${CMAKE_SOURCE_DIR}/cmake/fmt_archive.cc)
  mu_library(mu_fmt mu_fmt_archive Threads::Threads)
else()
  find_library(MU_FMT NAMES fmt REQUIRED)
  mu_library(mu_fmt ${MU_FMT} Threads::Threads)
endif()
target_compile_definitions(mu_fmt INTERFACE SPDLOG_FMT_EXTERNAL)
mu_library(mu_expected)
mu_library(mu_json Boost::json)
mu_library(mu_crc Boost::boost)
mu_library(mu_crypto OpenSSL::Crypto)
mu_library(mu_beast Boost::boost OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
mu_library(mu_cli11)

find_library(MU_YAML_CPP NAMES yaml-cpp REQUIRED)
mu_library(mu_yaml ${MU_YAML_CPP})
find_library(MU_PROTOBUF_LITE NAMES protobuf-lite REQUIRED)
find_program(MU_PROTOC protoc REQUIRED)
mu_library(mu_protobuf ${MU_PROTOBUF_LITE} Threads::Threads)
