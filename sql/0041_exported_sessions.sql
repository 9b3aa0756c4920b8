-- When a session was written into a file to be moved to another gateway; it is not started here again unless somebody
-- says that it runs nowhere else.
alter table sessions add column if not exists exported_at timestamptz;
