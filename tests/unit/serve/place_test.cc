#include "serve/place.h"

#include <sys/stat.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include "support/temp_dir.h"

namespace tb::serve {
namespace {

namespace fs = std::filesystem;

unsigned mode_of(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
}

struct Folders {
    test::TempDir temp;
    fs::path data = temp.path() / "data";
    fs::path root = temp.path() / "run";
    Folders() { fs::create_directory(data); }
};

TEST(Place, EverySpellingOfADirectoryLeadsToTheSamePlace) {
    const Folders folders;
    fs::create_symlink(folders.data, folders.temp.path() / "link");
    fs::create_directory(folders.data / "block");
    const auto place = place_of(folders.data, folders.root);
    ASSERT_TRUE(place.has_value()) << place.error().to_string();
    for (const fs::path& spelling :
         {folders.temp.path() / "link", folders.data / "block" / "..", folders.data / ""}) {
        const auto other = place_of(spelling, folders.root);
        ASSERT_TRUE(other.has_value()) << spelling;
        EXPECT_EQ(other->folder, place->folder) << spelling;
    }
    EXPECT_NE(place_of(folders.data / "block", folders.root)->folder, place->folder);
}

TEST(Place, IsClosedToOthers) {
    const Folders folders;
    const auto place = place_of(folders.data, folders.root);
    ASSERT_TRUE(place.has_value());
    EXPECT_EQ(mode_of(folders.root), 0700U);
    EXPECT_EQ(mode_of(place->folder), 0700U);
    // Somebody has opened it meanwhile.
    fs::permissions(folders.root, fs::perms(0777));
    ASSERT_TRUE(place_of(folders.data, folders.root).has_value());
    EXPECT_EQ(mode_of(folders.root), 0700U);
}

TEST(Place, RefusesWhatIsNoFolderOfThisUser) {
    const Folders folders;
    folders.temp.write("file", "x");
    const auto file = place_of(folders.data, folders.temp.path() / "file");
    ASSERT_FALSE(file.has_value());
    EXPECT_EQ(file.error().code, ErrorCode::kRefused);

    fs::create_directory(folders.temp.path() / "elsewhere");
    fs::create_symlink(folders.temp.path() / "elsewhere", folders.root);
    const auto link = place_of(folders.data, folders.root);
    ASSERT_FALSE(link.has_value());
    EXPECT_EQ(link.error().code, ErrorCode::kRefused);
}

TEST(Place, RefusesAFolderOfAnotherUser) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root can give a folder away";
    }
    const Folders folders;
    fs::create_directory(folders.root);
    ASSERT_EQ(::chown(folders.root.c_str(), 65534, 65534), 0);
    const auto place = place_of(folders.data, folders.root);
    ASSERT_FALSE(place.has_value());
    EXPECT_EQ(place.error().code, ErrorCode::kRefused);
}

TEST(Place, SaysWhenThePathIsTooLongForASocket) {
    const Folders folders;
    const auto place = place_of(folders.data, folders.temp.path() / std::string(90, 'r'));
    ASSERT_FALSE(place.has_value());
    EXPECT_EQ(place.error().code, ErrorCode::kIo);
    EXPECT_NE(place.error().message.find("TRADEBLOCKS_RUNTIME_DIR"), std::string::npos);
}

TEST(Place, OfAMissingDirectoryIsNotFound) {
    const Folders folders;
    EXPECT_EQ(place_of(folders.data / "none", folders.root).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(place_of(folders.temp.write("file", "x"), folders.root).error().code,
              ErrorCode::kNotFound);
}

TEST(Place, LookingAtItMakesNothing) {
    const Folders folders;
    ASSERT_TRUE(existing_place(folders.data, folders.root).has_value());
    EXPECT_FALSE(fs::exists(folders.root));
}

TEST(Place, TheRootDependsOnTheUserAndAnOverrideAlone) {
    const auto nothing = [](std::string_view) { return std::optional<std::string>(); };
    const fs::path usual = runtime_root(nothing);
    EXPECT_NE(usual.string().find(std::to_string(::geteuid())), std::string::npos);
    EXPECT_EQ(runtime_root([](std::string_view name) {
                  return name == "XDG_RUNTIME_DIR" ? std::optional<std::string>("/elsewhere")
                                                   : std::nullopt;
              }),
              usual);
    EXPECT_EQ(runtime_root([](std::string_view name) {
                  return name == "TRADEBLOCKS_RUNTIME_DIR" ? std::optional<std::string>("/mine")
                                                           : std::nullopt;
              }),
              fs::path("/mine"));
}

}  // namespace
}  // namespace tb::serve
