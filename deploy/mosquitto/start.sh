#!/bin/sh
# Inside the broker's container: writes the password file from the secrets, then becomes the broker.
set -eu
passwords=/run/mosquitto/passwords
umask 077
mosquitto_passwd -b -c "$passwords" polevod "$MQTT_POLEVOD_PASSWORD"
mosquitto_passwd -b "$passwords" simulator "$MQTT_SIMULATOR_PASSWORD"
# The broker drops to its own user, who has to read the one and write the other.
chown -R mosquitto:mosquitto /run/mosquitto /mosquitto/data
exec mosquitto -c /mosquitto/config/mosquitto.conf
