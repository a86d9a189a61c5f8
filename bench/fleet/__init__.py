"""Many boxes in few processes: real messages over real MQTT, without cameras or disks."""
