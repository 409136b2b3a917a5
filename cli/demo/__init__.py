"""The example support desk that `toolguild demo` works on."""
