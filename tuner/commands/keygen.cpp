#include <iostream>
#include <memory>

#include "tuner/commands/commands.h"
#include "tuner/wire/curve_keys.h"

namespace hyperfd::commands {

void add_keygen(CLI::App& app) {
  const auto folder = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("keygen", "Make the keys for a tuner that is reached over tcp");
  command->add_option("DIR", *folder, "Folder for server.key, server.pub, client.key, client.pub and clients.allow")
      ->required();
  command->footer(
      "Example:\n"
      "  hyperfd-tuner keygen keys\n"
      "keeps server.key and clients.allow on the server; a client needs server.pub and its own client.key.\n"
      "For another client, run it again with another folder and add its client.pub to clients.allow.");
  command->callback([folder] {
    wire::write_key_files(*folder);
    std::cout << "server: --server-key " << *folder << "/server.key --allow " << *folder << "/clients.allow\n"
              << "client: server_key: " << *folder << "/server.pub, client_key: " << *folder << "/client.key\n";
  });
}

}  // namespace hyperfd::commands
