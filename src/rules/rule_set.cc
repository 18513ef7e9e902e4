#include "rules/rule_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "rules/parser.h"
#include "rules/rule_set_impl.h"

namespace ficus::rules {
namespace {

constexpr std::size_t kProblemsShownMax = 20;

// Collects what is wrong over all files.
class ProblemList {
 public:
  void add(const RuleFile& file, const Problem& problem) {
    if (++count_ > kProblemsShownMax) return;
    if (!text_.empty()) text_.push_back('\n');
    text_.append(place(file.name, file.text, problem.offset)).append(": ").append(problem.message);
  }
  bool empty() const { return count_ == 0; }
  std::string text() const {
    if (count_ <= kProblemsShownMax) return text_;
    return fmt::format("{}\nand {} more", text_, count_ - kProblemsShownMax);
  }

 private:
  std::size_t count_ = 0;
  std::string text_;
};

// Tells the program where its attributes stand among the wanted ones, adding those that are new.
void use_attributes(std::vector<AttributeId>& wanted, Program& program) {
  for (const AttributeId attribute : program.attributes) {
    auto found = std::find(wanted.begin(), wanted.end(), attribute);
    if (found == wanted.end()) found = wanted.insert(found, attribute);
    program.positions.push_back(static_cast<std::uint16_t>(found - wanted.begin()));
  }
}

// A rule means something else when a zone that it names has been drawn anew.
std::uint64_t meaning_of(const CompiledRule& rule, const ZoneSet& zones) {
  std::uint64_t hash = rule.token_hash;
  for (const Program* const program : {&rule.condition, &rule.select}) {
    for (const ZoneSelection zone : program->zones) {
      hash = hash_mix(hash, zones.fingerprint(zone));
    }
  }
  return hash;
}

// For each type, of the rules over it. REQUIRES: rules and wanted are complete.
std::vector<RuleIndex> indexes_of(const RuleSet::Compiled& compiled) {
  std::vector<std::vector<RuleIndex::Entry>> entries(compiled.wanted.size());
  for (std::uint32_t i = 0; i < compiled.rules.size(); ++i) {
    const CompiledRule& rule = compiled.rules[i];
    entries[rule.info.from.index()].push_back({i, rule.guards});
  }
  std::vector<RuleIndex> indexes;
  for (std::size_t type = 0; type < entries.size(); ++type) {
    indexes.emplace_back(entries[type], compiled.wanted[type]);
  }
  return indexes;
}

std::uint32_t lines_between(std::string_view text, std::uint32_t begin, std::uint32_t end) {
  const std::string_view part = text.substr(begin, end - begin);
  return static_cast<std::uint32_t>(std::ranges::count(part, '\n'));
}

// Every rule of one file, behind those of the files before. What is wrong goes to `problems`.
class FileCompiler {
 public:
  FileCompiler(Schema& schema, RuleSet::Compiled& out)
      : schema_(schema), declared_(declared_counts(schema)), out_(out) {}

  // The file must stay where it is.
  void add(const RuleFile& file) {
    const RuleLimits& limits = out_.limits;
    const std::size_t room = limits.rules_max - out_.rules.size();
    ParsedFile parsed = parse_file(
        file.text, {limits.text_bytes_max, room, limits.nesting_max, limits.columns_max});
    std::uint32_t line = 1;
    std::uint32_t counted_to = 0;  // statements come in the order of the text
    for (const Statement& statement : parsed.statements) {
      line += lines_between(file.text, counted_to, statement.begin);
      counted_to = statement.begin;
      auto rule = compile_statement(statement, file.text, schema_, *out_.zones, declared_);
      if (!rule) {
        parsed.problems.push_back(std::move(rule).error());
        continue;
      }
      rule->info.file = file.name;
      rule->info.line = line;
      const auto [known, is_new] =
          names_.emplace(statement.name.text, NamedAt{&file, statement.name.at});
      if (!is_new) {
        const auto& [other, at] = known->second;
        parsed.problems.push_back(
            {statement.name.at,
             fmt::format("there is a rule '{}' already, at {}: expected another "
                         "name",
                         statement.name.text, place(other->name, other->text, at))});
      }
      out_.rules.push_back(*std::move(rule));
    }
    std::ranges::sort(parsed.problems, {}, &Problem::offset);
    for (const Problem& problem : parsed.problems) problems_.add(file, problem);
  }

  const ProblemList& problems() const { return problems_; }

 private:
  Schema& schema_;
  const DeclaredCounts declared_;
  RuleSet::Compiled& out_;
  struct NamedAt {
    const RuleFile* file;
    std::uint32_t at;
  };
  std::map<std::string, NamedAt> names_;
  ProblemList problems_;
};

}  // namespace

Result<RuleSetPtr> RuleSet::compile(std::span<const RuleFile> files, Schema& schema,
                                    std::shared_ptr<const ZoneSet> zones, RuleLimits limits) {
  auto compiled = std::make_unique<Compiled>();
  compiled->zones = std::move(zones);
  compiled->limits = limits;
  compiled->files.assign(files.begin(), files.end());
  FileCompiler compiler(schema, *compiled);
  for (const RuleFile& file : files) compiler.add(file);
  if (!compiler.problems().empty()) return invalid(compiler.problems().text());
  compiled->wanted.resize(schema.type_count());
  for (CompiledRule& rule : compiled->rules) {
    std::vector<AttributeId>& wanted = compiled->wanted[rule.info.from.index()];
    use_attributes(wanted, rule.condition);
    use_attributes(wanted, rule.select);
    rule.token_hash = meaning_of(rule, *compiled->zones);
    compiled->keys.push_back({rule.info.name, rule.token_hash});
  }
  std::ranges::sort(compiled->keys);
  compiled->indexes = indexes_of(*compiled);
  return RuleSetPtr(new RuleSet(std::move(compiled)));
}

RuleSet::RuleSet(std::unique_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
RuleSet::~RuleSet() = default;

std::size_t RuleSet::rule_count() const { return compiled_->rules.size(); }

const RuleInfo& RuleSet::info(RuleId rule) const {
  FICUS_CHECK(rule.index() < rule_count());
  return compiled_->rules[rule.index()].info;
}

const std::vector<RuleKey>& RuleSet::keys() const { return compiled_->keys; }

}  // namespace ficus::rules
