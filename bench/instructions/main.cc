// Drives the stages of the hot path on fixed input. To be run by bench/instructions/check, under
// callgrind: it prints the stages and their numbers of messages, callgrind the instructions.
#include "bench/instructions/stages.h"

int main() {
  ficus::instructions::run_ingest_stages();
  ficus::instructions::run_broker_stages();
  return 0;
}
