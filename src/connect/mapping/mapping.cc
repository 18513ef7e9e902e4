#include "connect/mapping/mapping.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/time_text.h"
#include "codec/json/json_writer.h"
#include "connect/mapping/item_rule.h"
#include "connect/mapping/uri.h"

namespace ficus::connect {

using json::JsonItems;
using json::JsonKind;
using json::JsonStep;
using json::JsonValue;

namespace {

constexpr std::size_t kIdBytesMax = 512;
// Of one payload; the rest is refused, so that a flood of tiny items cannot fill the memory.
constexpr std::uint64_t kItemsMax = 100'000;
// Of an enclosing object, kept with a quarantined item.
constexpr std::size_t kScalarsMax = 64;

}  // namespace

struct MappingScratch::Buffers {
  json::JsonDocument document;
  std::vector<ItemLevel> levels;
  std::vector<MappedValue> values;
  std::string arena;
  std::string id;
  std::string text;
  std::string reason;
  std::string missing;
};

MappingScratch::MappingScratch() : buffers_(std::make_unique<Buffers>()) {}
MappingScratch::~MappingScratch() = default;

namespace {

// Maps one payload by one rule.
class Run {
 public:
  Run(const ItemRule& rule, const MappingInput& input, MappingScratch::Buffers& buffers,
      SourceBatchBuilder& out)
      : rule_(rule), input_(input), b_(buffers), out_(out) {}

  void start(JsonValue payload) {
    b_.levels.assign(1, ItemLevel{payload, {}, 0, false});
    if (rule_.takes_top_array && payload.kind() == JsonKind::array) return each(payload, 0, false);
    walk(payload, 0);
  }

 private:
  // Follows the steps of `items` from `value` on; at the end of them it is an item.
  void walk(JsonValue value, std::size_t step) {
    for (; step < rule_.items.size(); ++step) {
      const JsonStep& s = rule_.items[step];
      if (s.fans_out()) break;
      value = s.kind == JsonStep::Kind::member ? value.member(s.name) : value.element(s.index);
    }
    if (step == rule_.items.size()) return item();
    const bool wants_members = rule_.items[step].kind == JsonStep::Kind::each_member;
    if (value.kind() != (wants_members ? JsonKind::object : JsonKind::array)) {
      b_.reason = fmt::format("{}{}: expected {}, got {}", rule_.where, rule_.items_text,
                              wants_members ? "an object" : "an array", shown(RawValue::of(value)));
      return quarantine();
    }
    each(value, step + 1, wants_members);
  }

  void each(JsonValue container, std::size_t next_step, bool wants_members) {
    std::int64_t index = 0;
    for (JsonItems items(container); items.next(); ++index) {
      b_.levels.push_back({items.value(), items.key(), index, wants_members});
      walk(items.value(), next_step);
      b_.levels.pop_back();
    }
  }

  void item() {
    if (++item_count_ > kItemsMax) return out_.refuse("too_many_items");
    const ItemContext context{b_.levels, input_.placeholders, input_.received_at};
    if (rule_.condition && !is_meant(context)) return out_.refuse("not_selected");
    if (!map(context)) quarantine();
  }

  bool is_meant(const ItemContext& context) const {
    const ValueRule& source = rule_.condition->value;
    const RawValue value = source.source == ValueRule::Source::placeholder
                               ? RawValue::of_text(context.placeholders[source.placeholder])
                               : source.path.find(context);
    std::array<char, 32> buffer;
    const auto text = canonical_text(value, buffer);
    return text && std::ranges::find(rule_.condition->in, *text) != rule_.condition->in.end();
  }

  // All of the item is evaluated before any of it is put into the batch.
  bool map(const ItemContext& context) {
    b_.arena.clear();
    b_.values.resize(rule_.attributes.size());
    const ItemType* type = choose_type(context);
    Timestamp observed_at;
    if (type == nullptr || !make_id(context) || !time_of(context, observed_at)) return false;
    for (std::size_t i = 0; i < rule_.attributes.size(); ++i) {
      const Mapped mapped =
          evaluate(rule_.attributes[i], context, b_.values[i], b_.arena, b_.reason);
      if (mapped == Mapped::failed) return false;
      if (mapped == Mapped::absent) b_.values[i].kind = ValueKind::none;
    }
    ObservationBatch& batch = out_.begin_row(type->id, b_.id, observed_at);
    for (std::size_t i = 0; i < b_.values.size(); ++i)
      put(batch, type->attributes[i], b_.values[i]);
    return true;
  }

  void put(ObservationBatch& batch, AttributeId attribute, const MappedValue& value) const {
    switch (value.kind) {
      case ValueKind::none:
        return;
      case ValueKind::number:
        return batch.set_number(attribute, value.number);
      case ValueKind::boolean:
        return batch.set_boolean(attribute, value.number != 0);
      case ValueKind::time:
        return batch.set_time(attribute, value.time);
      case ValueKind::point:
        return batch.set_point(attribute, value.point);
      case ValueKind::text:
      case ValueKind::geometry:
      case ValueKind::relationship:
      case ValueKind::json:
        return batch.set_text(attribute, value.kind, value.text_in(b_.arena));
    }
    std::unreachable();
  }

  const ItemType* choose_type(const ItemContext& context) {
    if (!rule_.type_choice) return &rule_.types.front();
    const TypeChoice& choice = *rule_.type_choice;
    b_.text.clear();
    const bool is_filled =
        choice.text.fill(context, TextTemplate::Filling::as_is, b_.text, b_.missing);
    if (is_filled) {
      const auto found = std::ranges::find(choice.entries, b_.text, &TypeChoice::Entry::text);
      if (found != choice.entries.end()) return &rule_.types[found->type];
    }
    if (choice.otherwise) return &rule_.types[*choice.otherwise];
    if (!is_filled) {
      b_.reason = fmt::format("{}type: {}", choice.where, b_.missing);
      return nullptr;
    }
    std::string known;
    for (const TypeChoice::Entry& entry : choice.entries) {
      if (known.size() < 100) known += (known.empty() ? "" : ", ") + entry.text;
    }
    b_.reason = fmt::format("{}type {}: expected one of {}, got {}", choice.where,
                            choice.text.text(), known, shown(RawValue::of_text(b_.text)));
    return nullptr;
  }

  bool make_id(const ItemContext& context) {
    b_.id.clear();
    if (!rule_.id.fill(context, TextTemplate::Filling::as_uri, b_.id, b_.missing)) {
      b_.reason = fmt::format("{}id: {}", rule_.id_where, b_.missing);
      return false;
    }
    if (b_.id.size() > kIdBytesMax || (rule_.is_id_whole && !has_scheme(b_.id))) {
      b_.reason = fmt::format("{}id: expected a URI of at most {} bytes, got {}", rule_.id_where,
                              kIdBytesMax, shown(RawValue::of_text(b_.id)));
      return false;
    }
    return true;
  }

  bool time_of(const ItemContext& context, Timestamp& out) {
    out = input_.received_at;
    if (rule_.is_observed_when_received) return true;
    MappedValue value;
    const Mapped mapped = evaluate(rule_.observed_at, context, value, b_.arena, b_.reason);
    if (mapped == Mapped::absent && rule_.else_when_received) return true;
    if (mapped != Mapped::value) return false;
    // One reading from a clock that runs ahead would be the newest for as long as it is ahead.
    if (value.time - input_.received_at > rule_.ahead_max) {
      b_.reason =
          fmt::format("{}{}: observed at {}, which is later than received by more than {} s",
                      rule_.observed_at.where, rule_.observed_at.path.text(),
                      to_iso8601(value.time), rule_.ahead_max.count / 1'000'000);
      return false;
    }
    out = value.time;
    return true;
  }

  // The bytes are a payload by itself, so that it can be mapped again: the item within what
  // encloses it, without its siblings.
  void quarantine() {
    if (b_.levels.size() == 1) return out_.quarantine(input_.key, b_.reason, input_.payload);
    b_.text.clear();
    if (rule_.items.empty()) {
      b_.levels.back().value.append_json(b_.text);
    } else {
      enclose(b_.levels[0].value, 0, 1);
    }
    out_.quarantine(input_.key, b_.reason, b_.text);
  }

  // Appends `value`, which lies at `step` of the way to the items, with only what leads to the
  // levels from `level` on, and with the scalars that `^` paths may ask for.
  void enclose(JsonValue value, std::size_t step, std::size_t level) {
    if (level == b_.levels.size() || step == rule_.items.size()) {
      return value.append_json(b_.text);
    }
    const JsonStep& s = rule_.items[step];
    if (s.kind == JsonStep::Kind::element && s.index > kScalarsMax) {
      return b_.levels.back().value.append_json(b_.text);
    }
    switch (s.kind) {
      case JsonStep::Kind::member:
        b_.text += '{';
        append_scalars(value, s.name);
        json::append_quoted(s.name, b_.text);
        b_.text += ':';
        enclose(value.member(s.name), step + 1, level);
        b_.text += '}';
        return;
      case JsonStep::Kind::element:
        b_.text += '[';
        for (std::size_t i = 0; i < s.index; ++i) b_.text += "null,";
        enclose(value.element(s.index), step + 1, level);
        b_.text += ']';
        return;
      case JsonStep::Kind::each_element:
        b_.text += '[';
        enclose(b_.levels[level].value, step + 1, level + 1);
        b_.text += ']';
        return;
      case JsonStep::Kind::each_member:
        b_.text += '{';
        json::append_quoted(b_.levels[level].key, b_.text);
        b_.text += ':';
        enclose(b_.levels[level].value, step + 1, level + 1);
        b_.text += '}';
        return;
    }
  }

  void append_scalars(JsonValue object, std::string_view but) {
    std::size_t count = 0;
    for (JsonItems members(object); members.next() && count < kScalarsMax;) {
      const JsonKind kind = members.value().kind();
      if (kind == JsonKind::array || kind == JsonKind::object || members.key() == but) continue;
      ++count;
      json::append_quoted(members.key(), b_.text);
      b_.text += ':';
      members.value().append_json(b_.text);
      b_.text += ',';
    }
  }

  const ItemRule& rule_;
  const MappingInput& input_;
  MappingScratch::Buffers& b_;
  SourceBatchBuilder& out_;
  std::uint64_t item_count_ = 0;
};

}  // namespace

Mapping::Mapping(PayloadFormat format, std::vector<ItemRule> rules)
    : format_(format), rules_(std::move(rules)) {}
Mapping::~Mapping() = default;
Mapping::Mapping(Mapping&&) noexcept = default;
Mapping& Mapping::operator=(Mapping&&) noexcept = default;

void Mapping::map(const MappingInput& input, MappingScratch& scratch,
                  SourceBatchBuilder& out) const {
  MappingScratch::Buffers& buffers = *scratch.buffers_;
  std::string_view json = input.payload;
  if (format_ == PayloadFormat::text) {
    buffers.text.clear();
    json::append_quoted(input.payload, buffers.text);
    json = buffers.text;
  }
  const Result<JsonValue> payload = buffers.document.parse(json);
  if (!payload) return out.quarantine(input.key, payload.error().message, input.payload);
  for (const ItemRule& rule : rules_) Run(rule, input, buffers, out).start(*payload);
}

std::vector<TypeId> Mapping::types() const {
  std::vector<TypeId> types;
  for (const ItemRule& rule : rules_) {
    for (const ItemType& type : rule.types) types.push_back(type.id);
  }
  return types;
}

}  // namespace ficus::connect
