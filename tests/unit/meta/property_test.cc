// SPDX-License-Identifier: Apache-2.0
// What holds for any 2.1 metadata, on random ones of fixed seeds.
#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "unit/meta/random_metadata.h"
#include "unit/meta/real_data.h"

namespace mu::meta {
namespace {

constexpr std::uint64_t kSeeds = 30;
Keys Random(std::uint64_t seed) { return Mapped(RandomMetadata(seed, 40 + 12 * seed)); }

Changes Converted(const Keys& keys) {
  auto changes = Convert(keys);
  if (changes) return *changes;
  ADD_FAILURE() << changes.error().Text();
  return {};
}

bool IsEmpty(const Result<Changes>& changes) {
  return changes && changes->added.empty() && changes->replaced.empty() && changes->removed.empty();
}

// Of keys of 2.1, by what their names say: kept, cut, or gone.
char Fate(std::string_view key) {
  key.remove_prefix(kScope.Prefix().size());
  for (const std::string_view cut :
       {"root-coord/collection/", "snapshots/root-coord/collection/"}) {
    if (key.starts_with(cut)) return 'c';
  }
  for (const std::string_view gone :
       {"root-coord/collection-alias/", "snapshots/root-coord/collection-alias/",
        "root-coord/index/", "root-coord/segment-index/", "indexes/", "root-coord/dd-"}) {
    if (key.starts_with(gone)) return 'g';
  }
  return 'k';
}

TEST(MetaProperty, EveryKeyIsKeptOrCutOrGoneByItsKind) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Keys keys = Random(seed);
    const Changes changes = Converted(keys);
    for (const auto& [key, value] : keys) {
      const char fate = Fate(key);
      EXPECT_FALSE(changes.added.contains(key)) << key;
      EXPECT_EQ(changes.removed.contains(key), fate == 'g') << key;
      const bool has_indexes = fate == 'c' && value.size() > 3 && Without(value, 6) != value;
      ASSERT_EQ(changes.replaced.contains(key), has_indexes) << key;
    }
    for (const auto& [key, value] : changes.replaced) EXPECT_TRUE(keys.contains(key)) << key;
    for (const std::string& key : changes.removed) EXPECT_TRUE(keys.contains(key)) << key;
  }
}

TEST(MetaProperty, ACollectionLosesItsIndexesAndNoOtherByte) {
  std::size_t replaced = 0;
  std::size_t with_unknown = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Keys keys = Random(seed);
    for (const auto& [key, value] : Converted(keys).replaced) {
      ++replaced;
      ASSERT_EQ(value, Without(keys.at(key), 6)) << key;
      if (value.find("\xDA\x05\x07unknown", 0, 10) != std::string::npos) ++with_unknown;
    }
  }
  EXPECT_GT(replaced, 100u);
  EXPECT_GT(with_unknown, 10u);
}

TEST(MetaProperty, EveryAliasAndIndexedSegmentHasItsCounterpart) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Keys keys = Random(seed);
    const Changes changes = Converted(keys);
    std::size_t segment_indexes = 0;
    for (const auto& [key, value] : keys) {
      std::string alias = key;
      const std::string_view old = "root-coord/collection-alias/";
      if (const std::size_t at = alias.find(old); at != std::string::npos) {
        alias.replace(at, old.size(), "root-coord/aliases/");
        ASSERT_TRUE(changes.added.contains(alias)) << alias;
      }
      if (key.starts_with("by-dev/meta/root-coord/segment-index/")) ++segment_indexes;
    }
    // Two indexes of a segment too small for one share a record, and it is said.
    const auto made = static_cast<std::size_t>(changes.summary.segment_indexes);
    EXPECT_LE(made, segment_indexes);
    EXPECT_EQ(made == segment_indexes, changes.losses.empty()) << seed;
  }
}

TEST(MetaProperty, TheSameKeysGiveTheSameChanges) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Changes one = Converted(Random(seed));
    const Changes two = Converted(Random(seed));
    EXPECT_EQ(one.added, two.added);
    EXPECT_EQ(one.losses, two.losses);
  }
}

TEST(MetaProperty, AConvertedStateNeedsNothingMore) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Keys keys = Random(seed);
    const Changes changes = Converted(keys);
    EXPECT_EQ(GenerationOf(keys), Generation::k21);
    Apply(changes, &keys);
    EXPECT_EQ(GenerationOf(keys), Generation::k22);
    EXPECT_TRUE(IsEmpty(Convert(keys)));
    EXPECT_TRUE(IsEmpty(Finish(keys)));
  }
}

// A run adds, then replaces and removes. Cut anywhere, what is left leads to the same end.
TEST(MetaProperty, ARunThatWasCutEndsInTheSameState) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    std::mt19937_64 random(seed);
    Keys keys = Random(seed);
    const Changes whole = Converted(keys);
    Keys end = keys;
    Apply(whole, &end);

    Keys while_adding = keys;
    for (const auto& [key, value] : whole.added) {
      if (random() % 2 == 0) while_adding[key] = value;
    }
    Apply(Converted(while_adding), &while_adding);
    EXPECT_EQ(while_adding, end);

    keys.insert(whole.added.begin(), whole.added.end());
    const auto finish = Finish(keys);
    ASSERT_TRUE(finish) << finish.error().Text();
    EXPECT_TRUE(finish->added.empty());
    EXPECT_EQ(finish->replaced, whole.replaced);
    EXPECT_EQ(finish->removed, whole.removed);

    for (const auto& [key, value] : whole.replaced) {
      if (random() % 2 == 0) keys[key] = value;
    }
    for (const std::string& key : whole.removed) {
      if (random() % 2 == 0) keys.erase(key);
    }
    const auto rest = Finish(keys);
    ASSERT_TRUE(rest) << rest.error().Text();
    Apply(*rest, &keys);
    EXPECT_EQ(keys, end);
  }
}

// Any damage is refused with the names of keys that are there, or is none of ours to see; it never
// crashes, and a key of an untouched kind never changes.
TEST(MetaProperty, DamagedBytesAreRefusedByName) {
  std::size_t refused = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    std::mt19937_64 random(seed);
    Keys keys = Mapped(RandomMetadata(seed % 20, 40));
    auto damaged = std::next(keys.begin(), static_cast<std::ptrdiff_t>(random() % keys.size()));
    std::string& value = damaged->second;
    switch (random() % 3) {
      case 0:
        value.resize(random() % (value.size() + 1));
        break;
      case 1:
        value.insert(random() % (value.size() + 1), 1, static_cast<char>(random()));
        break;
      default:
        if (!value.empty()) value[random() % value.size()] ^= static_cast<char>(1 << random() % 8);
    }
    const auto changes = Convert(keys);
    if (changes) {
      for (const auto& [key, text] : changes->replaced) EXPECT_EQ(Fate(key), 'c');
      continue;
    }
    ++refused;
    EXPECT_EQ(changes.error().code, ErrorCode::kMetaUnconvertible);
    const auto lines = Lines(changes.error().message);
    ASSERT_GT(lines.size(), 1u);
    for (std::size_t i = 1; i < lines.size(); ++i) {
      const std::string key = lines[i].substr(2, lines[i].find(": ") - 2);
      EXPECT_TRUE(keys.contains(key)) << lines[i];
    }
  }
  EXPECT_GT(refused, 50u);
}

// Growth, not speed: four times the keys in clearly less than the sixteen times of a square.
TEST(MetaProperty, TimeGrowsWithTheKeys) {
  const auto seconds = [](std::size_t count) {
    const auto keys = RandomMetadata(1, count);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(Convert(keys, kScope));
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  const double small = seconds(5000);
  EXPECT_LT(seconds(20000), 10 * small + 0.2);
}

}  // namespace
}  // namespace mu::meta
