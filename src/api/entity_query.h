#pragma once

#include "base/result.h"
#include "model/schema.h"
#include "net/http_types.h"
#include "twin/query.h"

namespace ficus::api {

// The parameters of GET /entities as a query of the twin. Names and meaning as in ETSI GS CIM 009
// (6.4.3.2, 4.9 query language, 4.10 geo-query language) as far as they are supported:
//   type, id (comma-separated), idPrefix, q (`speed>40;status=="moving";name~="bus";due`),
//   bbox=w,s,e,n, georel=near;maxDistance==500[;minDistance==10] | within | intersects, geometry,
//   coordinates, orderBy=id | distance | ATTRIBUTE, descending with a '-' in front, limit (at most
//   10000), offset, options=keyValues,count
// Errors say which parameter is wrong and what was expected.
Result<twin::EntityQuery> parse_entity_query(const net::HttpTarget& target, const Schema& schema);

// Whether `options` has this word.
bool has_option(const net::HttpTarget& target, std::string_view option);

// A non-negative integer parameter within [0, most], or `otherwise` if it is not given.
Result<std::size_t> size_parameter(const net::HttpTarget& target, std::string_view name,
                                   std::size_t otherwise, std::size_t most);

}  // namespace ficus::api
