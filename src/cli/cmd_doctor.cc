#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/doctor_report.h"
#include "cli/relay.h"
#include "core/version.h"
#include "db/database.h"
#include "db/schema.h"

namespace tb::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kCompiler =
#if defined(__clang__)
    __VERSION__;
#else
    "GCC " __VERSION__;
#endif

Json text_or_null_json(const std::string& text) {
    return text.empty() ? Json() : Json(text);
}

Json folders_json(const DoctorReport& report) {
    Json folders = Json::array();
    for (const FolderFinding& folder : report.folders) {
        Json files = Json::array();
        for (const FileFinding& file : folder.files) {
            files.push_back({{"name", file.name},
                             {"role", text_or_null_json(file.role)},
                             {"recognisedBy", text_or_null_json(file.recognised_by)},
                             {"note", text_or_null_json(file.note)}});
        }
        folders.push_back({{"name", folder.name}, {"files", files}, {"notes", folder.notes}});
    }
    return folders;
}

Json database_json(const DatabaseFinding& database) {
    return {{"file", database.file.string()},
            {"state", database.state},
            {"sizeBytes", database.bytes},
            {"logBytes", database.log_bytes},
            {"schemaVersion",
             database.schema_version.has_value() ? Json(*database.schema_version) : Json()},
            {"lockedByPid", database.holder.has_value() ? Json(*database.holder) : Json()}};
}

// Process 0: one that does not say who it is.
Json owner_json(const OwnerFinding& owner) {
    return {{"pid", owner.pid == 0 ? Json() : Json(owner.pid)},
            {"version", text_or_null_json(owner.version)}};
}

Json clients_json(const DoctorReport& report) {
    Json clients = Json::array();
    for (const ClientFinding& one : report.clients) {
        Json entry;
        if (one.entry.has_value()) {
            entry = {{"command", one.entry->command}, {"args", one.entry->args}};
            if (!one.entry->url.empty()) {
                entry["url"] = one.entry->url;
            }
        }
        clients.push_back({{"client", one.client->id},
                           {"title", one.client->title},
                           {"file", one.file.string()},
                           {"installed", one.installed},
                           {"state", one.state},
                           {"entry", entry},
                           {"snippet", one.snippet}});
    }
    return clients;
}

Json report_json(const DoctorReport& report, const DoctorOptions& options) {
    Json json;
    json["ok"] = report.problems.empty();
    json["problems"] = Json::array();
    for (const Problem& problem : report.problems) {
        json["problems"].push_back({{"problem", problem.what}, {"advice", problem.advice}});
    }
    json["program"] = {{"version", kVersion},
                       {"path", options.program.string()},
                       {"duckdb", db::engine_version()},
                       {"compiler", kCompiler},
                       {"schemaVersion", db::kSchemaVersion}};
    if (report.data_dir.has_value()) {
        json["dataDirectory"] = {{"path", report.data_dir->string()},
                                 {"readable", report.readable},
                                 {"writable", report.writable},
                                 {"folders", folders_json(report)},
                                 {"notes", report.notes}};
        json["database"] = report.database.has_value() ? database_json(*report.database) : Json();
        json["owner"] = report.owner.has_value() ? owner_json(*report.owner) : Json();
    }
    json["clients"] = clients_json(report);
    return json;
}

class Printer {
  public:
    explicit Printer(Terminal& terminal) : terminal_(terminal) {}

    void title(std::string_view text) { write(terminal_.paint(Style::kBold, text)); }
    void line(std::string_view text) { write("  " + printable(text)); }
    void deep(std::string_view text) { write("    " + printable(text)); }
    void bad(std::string_view text) { write("  " + terminal_.paint(Style::kRed, printable(text))); }
    void block(std::string_view text) {
        std::size_t begin = 0;
        while (begin < text.size()) {
            const std::size_t end = std::min(text.find('\n', begin), text.size());
            deep(text.substr(begin, end - begin));
            begin = end + 1;
        }
    }

  private:
    void write(const std::string& text) { terminal_.out().write(text + "\n"); }
    Terminal& terminal_;
};

void print_folder(Printer& print, const DoctorReport& report) {
    print.title("Data directory");
    print.line(fmt::format("{} ({}, {})", report.data_dir->string(),
                           report.readable ? "readable" : "not readable",
                           report.writable ? "writable" : "not writable"));
    for (const FolderFinding& folder : report.folders) {
        print.line(folder.name + "/");
        for (const FileFinding& file : folder.files) {
            if (file.role.empty() && file.note.starts_with("is ")) {
                print.deep(file.name + " " + file.note);  // "... is not recognised by its header"
                continue;
            }
            std::string text = file.name + ": ";
            text += file.role.empty() ? "not used"
                                      : fmt::format("{} (by {})", file.role, file.recognised_by);
            print.deep(file.note.empty() ? text : text + ", " + file.note);
        }
        for (const std::string& note : folder.notes) {
            print.deep(note);
        }
    }
    for (const std::string& note : report.notes) {
        print.line(note);
    }
}

void print_database(Printer& print, const DoctorReport& report) {
    print.title("Database");
    if (report.database.has_value()) {
        const DatabaseFinding& database = *report.database;
        std::string text = fmt::format("{}: {}", database.file.string(), database.state);
        if (database.state == "absent") {
            text += " (the first sync makes it)";
        } else {
            text += fmt::format(", {} bytes", grouped(static_cast<std::int64_t>(database.bytes)));
        }
        if (database.schema_version.has_value()) {
            text += fmt::format(", schema version {}", *database.schema_version);
        }
        print.line(text);
    }
    if (!report.owner.has_value()) {
        print.line("no server owns this folder now");
    } else if (report.owner->pid == 0) {
        print.line("served by a process that this version cannot talk to");
    } else {
        print.line(fmt::format("served by process {}, version {}", report.owner->pid,
                               report.owner->version));
    }
}

void print_clients(Printer& print, const DoctorReport& report) {
    print.title("Assistants");
    const bool any = std::any_of(report.clients.begin(), report.clients.end(),
                                 [](const ClientFinding& one) { return one.installed; });
    const std::string folder =
        report.data_dir ? fmt::format("\"{}\"", report.data_dir->string()) : std::string("DIR");
    for (const ClientFinding& one : report.clients) {
        if (!one.installed) {
            print.line(fmt::format("{} ({}): not found", one.client->title, one.client->id));
            continue;
        }
        print.line(fmt::format("{} ({}): {}, {}", one.client->title, one.client->id, one.state,
                               one.file.string()));
        if (one.entry.has_value()) {
            print.deep(fmt::format("{} {}", one.entry->url.empty() ? "starts" : "uses",
                                   described(*one.entry)));
        }
        if (one.state != "configured") {
            print.deep(fmt::format("to set it up: tradeblocks setup {} {}, or paste",
                                   one.client->id, folder));
            print.block(one.snippet);
        }
    }
    if (!any) {
        print.line("tradeblocks setup CLIENT DIR --print shows what to paste into each");
    }
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    DoctorOptions options;
    if (invocation.has("DIR")) {
        options.data_dir = invocation.text("DIR");
    }
    options.runtime_root = runtime_root();
    options.environment = [](std::string_view name) {
        const char* const value = std::getenv(std::string(name).c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    };
    TB_TRY(options.program, program_path());
    const DoctorReport report = examine(options);
    const ExitCode code = report.problems.empty() ? ExitCode::kDone : ExitCode::kFailed;
    if (invocation.has("--json")) {
        session.terminal.out().write(
            report_json(report, options).dump(2, ' ', false, Json::error_handler_t::replace) +
            "\n");
        return code;
    }
    Printer print(session.terminal);
    print.title("Program");
    print.line(
        fmt::format("tradeblocks {}, DuckDB {}, {}", kVersion, db::engine_version(), kCompiler));
    print.line(options.program.string());
    if (report.data_dir.has_value()) {
        print_folder(print, report);
        print_database(print, report);
    }
    print_clients(print, report);
    print.title(report.problems.empty() ? "No problems" : "Problems");
    for (const Problem& problem : report.problems) {
        print.bad(problem.what);
        print.deep(problem.advice);
    }
    return code;
}

}  // namespace

Command doctor_command() {
    return {.name = "doctor",
            .summary = "look for what is wrong with the folder, database or assistants",
            .description =
                "Looks at the data directory and how each file in it was recognised, the database "
                "and who holds it, the versions, and the configuration of the assistants on this "
                "machine. Changes nothing. The exit code is 1 when there are problems; each comes "
                "with what to do about it.",
            .arguments = {{"DIR", ValueKind::kDirectory, "the data directory", false}},
            .options = {{"--json", ValueKind::kFlag, "", "as JSON", {}, ""}},
            .examples = {{"doctor ~/Trades", "everything"},
                         {"doctor", "only the program and the assistants"}},
            .run = run};
}

}  // namespace tb::cli
