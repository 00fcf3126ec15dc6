-- Who built a machine, as other systems name it (OEMName of ISO 15143-3). Null: not told; the model then tells.
alter table machine add column maker text;
