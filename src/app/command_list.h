#pragma once

#include <vector>

#include "app/commands.h"

namespace ficus::app {

int run_serve(const Arguments& arguments, const Machine& machine);
int run_check(const Arguments& arguments, const Machine& machine);
int run_demo(const Arguments& arguments, const Machine& machine);
int run_simulate(const Arguments& arguments, const Machine& machine);
int run_replay(const Arguments& arguments, const Machine& machine);
int run_sql(const Arguments& arguments, const Machine& machine);
int run_source_try(const Arguments& arguments, const Machine& machine);
int run_tls_self_signed(const Arguments& arguments, const Machine& machine);
int run_status(const Arguments& arguments, const Machine& machine);
int run_reload(const Arguments& arguments, const Machine& machine);
int run_completion(const Arguments& arguments, const Machine& machine);
int run_manual(const Arguments& arguments, const Machine& machine);
int run_backup(const Arguments& arguments, const Machine& machine);
int run_restore(const Arguments& arguments, const Machine& machine);
int run_log_repair(const Arguments& arguments, const Machine& machine);
int run_source_suggest(const Arguments& arguments, const Machine& machine);
int run_quarantine_list(const Arguments& arguments, const Machine& machine);
int run_quarantine_show(const Arguments& arguments, const Machine& machine);
int run_quarantine_replay(const Arguments& arguments, const Machine& machine);
int run_quarantine_drop(const Arguments& arguments, const Machine& machine);
int run_log_check(const Arguments& arguments, const Machine& machine);
int run_user_hash(const Arguments& arguments, const Machine& machine);
int run_user_add(const Arguments& arguments, const Machine& machine);
int run_user_remove(const Arguments& arguments, const Machine& machine);
int run_user_list(const Arguments& arguments, const Machine& machine);
int run_token_add(const Arguments& arguments, const Machine& machine);
int run_token_revoke(const Arguments& arguments, const Machine& machine);
int run_token_list(const Arguments& arguments, const Machine& machine);

std::vector<Command> command_list();
// ficus user ... and ficus token ...
void add_user_commands(std::vector<Command>& list);

}  // namespace ficus::app
