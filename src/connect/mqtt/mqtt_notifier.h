#pragma once

#include <string>

#include "connect/ingest/ingest.h"
#include "connect/mqtt/mqtt_server.h"
#include "model/schema.h"

namespace ficus::connect {

// Tells MQTT subscribers what happens in the brain, as JSON in simplified form:
//   ficus/alert/DEPARTMENT/SEVERITY/RULE   every step of every alert ('-' where there is none)
//   ficus/entity/TYPE/ID                   every applied observation
// Nothing is written that nobody takes: whoever is behind has it counted as dropped.
// Runs on the loop's thread.
class MqttNotifier final : public Follower {
 public:
  MqttNotifier(MqttServer& server, Ingest& ingest, const Schema& schema);

  // Looks whether somebody subscribes; called when subscriptions may have changed.
  void check_subscribers();

  void on_settled(const SettledBatch& batch) override;

 private:
  void publish_alert(const ObservationBatch& rows, std::size_t row);
  void publish_entity(const ObservationBatch& rows, std::size_t row);
  void publish(const ObservationBatch& rows, std::size_t row);  // on topic_

  MqttServer& server_;
  Ingest& ingest_;
  const Schema& schema_;
  std::string type_topic_;  // of the entities of a batch
  std::string topic_;
  std::string payload_;
};

}  // namespace ficus::connect
