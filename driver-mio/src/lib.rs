//! UDP on mio: sockets, worker threads and the dcquic command.
