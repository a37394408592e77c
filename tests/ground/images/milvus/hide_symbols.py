# SPDX-License-Identifier: Apache-2.0
"""Hides from the dynamic linker what the Milvus executable exports and an OpenSSL library beside it exports too.

The executable of 2.2.16 carries OpenSSL 1.1 and exports it; the S3 client library, built for the OpenSSL 1.0 that lies
beside it, then binds to the wrong one and crashes. Marking the executable's own symbols hidden (what a linker option
would have done) leaves its inner calls as they are. An executable without such symbols is left alone.

Usage: hide_symbols.py FOLDER   (holds the executable `milvus` and its libraries)
"""

import pathlib
import struct
import sys

SHT_DYNSYM = 11
STV_HIDDEN = 2
SYMBOL_SIZE = 24  # Elf64_Sym: name u32, info u8, other u8, section u16, value u64, size u64


def defined_symbols(image):
    """Yields (name, file offset of the symbol) of each defined dynamic symbol of a 64-bit little-endian ELF file."""
    assert image[:6] == b"\x7fELF\x02\x01", "not a 64-bit little-endian ELF file"
    (table_at,) = struct.unpack_from("<Q", image, 0x28)
    entry_size, count = struct.unpack_from("<HH", image, 0x3A)
    sections = [struct.unpack_from("<IIQQQQIIQQ", image, table_at + i * entry_size) for i in range(count)]
    for section in sections:
        if section[1] != SHT_DYNSYM:
            continue
        names_at = sections[section[6]][4]
        for at in range(section[4], section[4] + section[5], SYMBOL_SIZE):
            name_offset, _, _, defined_in = struct.unpack_from("<IBBH", image, at)
            if defined_in == 0:
                continue
            start = names_at + name_offset
            yield bytes(image[start : image.index(0, start)]), at


def main():
    folder = pathlib.Path(sys.argv[1])
    theirs = set()
    for library in [*folder.glob("libcrypto.so*"), *folder.glob("libssl.so*")]:
        theirs.update(name for name, _ in defined_symbols(library.read_bytes()))
    executable = folder / "milvus"
    image = bytearray(executable.read_bytes())
    hidden = 0
    for name, at in defined_symbols(image):
        if name in theirs:
            image[at + 5] = image[at + 5] & ~3 | STV_HIDDEN
            hidden += 1
    if hidden:
        executable.write_bytes(image)
    print(f"hid {hidden} symbols of {executable}")


main()
