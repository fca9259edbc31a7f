# SPDX-License-Identifier: MIT
"""A user's desktop, as far as passwords go: a private D-Bus session with gnome-keyring."""

import subprocess

import harness

# No service directories: nothing is started on demand, only what the test starts is there.
_BUS_CONFIG = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
PASSWORD = "looking-glass"


def missing():
    """The program without which there is no keyring here, or None."""
    return harness.needs("dbus-daemon", "gnome-keyring-daemon", "secret-tool")


class Bus:
    """A session bus for the user, at the place where libraries look for it."""

    def __init__(self, user):
        self.user = user
        path = user.runtime / "bus"
        config = user.home / "bus.conf"
        config.write_text(_BUS_CONFIG.format(socket=path))
        self.process = harness.start(["dbus-daemon", "--nofork", "--nosyslog",
                                      f"--config-file={config}"], user.env())
        user.variables["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={path}"
        if not harness.wait_until(path.exists):
            raise RuntimeError("dbus-daemon does not start")


class Keyring:
    """An unlocked keyring of the user's own."""

    def __init__(self, user):
        self.user = user
        self.bus = Bus(user)
        self.process = harness.start(
            ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
            user.env(), stdin=subprocess.PIPE)
        self.process.stdin.write(PASSWORD.encode())
        self.process.stdin.close()
        self.process.stdin = None
        if not harness.wait_until(self._works, step=0.1):
            raise RuntimeError("gnome-keyring-daemon does not start")

    def _works(self):
        probe = ["secret-tool", "store", "--label=probe", "gatepass-probe", "1"]
        return harness.run(probe, self.user.env(), "probe").code == 0

    def store(self, proxy, user, password):
        """Writes an item as a person would, by secret-tool, behind the agent's back."""
        return harness.run(
            ["secret-tool", "store", f"--label=Proxy {proxy.host}:{proxy.port}",
             "xdg:schema", "org.gnome.keyring.NetworkPassword", "protocol", "http-proxy",
             "server", proxy.host, "port", str(proxy.port), "user", user],
            self.user.env(), password)

    def lookup(self, proxy):
        return harness.run(["secret-tool", "lookup", "protocol", "http-proxy",
                            "server", proxy.host, "port", str(proxy.port)], self.user.env())

    def stop(self):
        harness.stop(self.process)
        harness.stop(self.bus.process)
