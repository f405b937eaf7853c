"""What tests are made of: servers, a provider, people, sockets, browsers."""
