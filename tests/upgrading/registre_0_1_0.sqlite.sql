BEGIN TRANSACTION;
CREATE TABLE api_number (
	number INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	CONSTRAINT api_number_key PRIMARY KEY (number), 
	CONSTRAINT api_number_kind_name_unique UNIQUE (kind, name)
);
CREATE TABLE api_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT api_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "api_version" VALUES('0001');
CREATE TABLE detection_list (
	id TEXT NOT NULL, 
	created DATETIME NOT NULL, 
	author TEXT NOT NULL, 
	model TEXT NOT NULL, 
	batch TEXT NOT NULL, 
	snapshot TEXT NOT NULL, 
	algo TEXT NOT NULL, 
	code TEXT NOT NULL, 
	periode TEXT NOT NULL, 
	data TEXT NOT NULL, 
	card JSON NOT NULL, 
	CONSTRAINT detection_list_key PRIMARY KEY (id), 
	CONSTRAINT detection_list_model_reference FOREIGN KEY(model) REFERENCES detection_model (id)
);
CREATE TABLE detection_model (
	id TEXT NOT NULL, 
	created DATETIME NOT NULL, 
	author TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	batch TEXT NOT NULL, 
	snapshot TEXT NOT NULL, 
	code TEXT NOT NULL, 
	seed BIGINT NOT NULL, 
	content JSON NOT NULL, 
	CONSTRAINT detection_model_key PRIMARY KEY (id)
);
CREATE TABLE detection_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT detection_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "detection_version" VALUES('0001');
CREATE TABLE discussion_comment (
	id TEXT NOT NULL, 
	author TEXT NOT NULL, 
	created DATETIME NOT NULL, 
	edited DATETIME, 
	trame TEXT, 
	indicateur TEXT, 
	text TEXT NOT NULL, 
	CONSTRAINT discussion_comment_key PRIMARY KEY (id)
);
INSERT INTO "discussion_comment" VALUES('01m81ztfh1wrdk3wzdvr95gfa0','jeanne@exemple.fr','2026-11-22 16:00:57.889172',NULL,NULL,NULL,'À relire.');
CREATE TABLE discussion_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT discussion_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "discussion_version" VALUES('0001');
CREATE TABLE identity_attempt (
	print TEXT NOT NULL, 
	since DATETIME NOT NULL, 
	failures INTEGER NOT NULL, 
	CONSTRAINT identity_attempt_key PRIMARY KEY (print)
);
CREATE TABLE identity_badge (
	email TEXT NOT NULL, 
	badge TEXT NOT NULL, 
	CONSTRAINT identity_badge_key PRIMARY KEY (email, badge), 
	CONSTRAINT identity_badge_email_reference FOREIGN KEY(email) REFERENCES identity_person (email) ON DELETE CASCADE
);
INSERT INTO "identity_badge" VALUES('jeanne@exemple.fr','bfc');
CREATE TABLE identity_code (
	print TEXT NOT NULL, 
	family TEXT NOT NULL, 
	redirect TEXT NOT NULL, 
	challenge TEXT NOT NULL, 
	expires DATETIME NOT NULL, 
	used BOOLEAN NOT NULL, 
	CONSTRAINT identity_code_key PRIMARY KEY (print), 
	CONSTRAINT identity_code_family_reference FOREIGN KEY(family) REFERENCES identity_family (id) ON DELETE CASCADE
);
CREATE TABLE identity_family (
	id TEXT NOT NULL, 
	email TEXT NOT NULL, 
	client TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	login TEXT, 
	nonce TEXT, 
	logged_in DATETIME NOT NULL, 
	expires DATETIME NOT NULL, 
	revoked BOOLEAN NOT NULL, 
	CONSTRAINT identity_family_key PRIMARY KEY (id), 
	CONSTRAINT identity_family_email_reference FOREIGN KEY(email) REFERENCES identity_person (email) ON DELETE CASCADE
);
CREATE TABLE identity_login (
	print TEXT NOT NULL, 
	email TEXT NOT NULL, 
	created DATETIME NOT NULL, 
	expires DATETIME NOT NULL, 
	CONSTRAINT identity_login_key PRIMARY KEY (print), 
	CONSTRAINT identity_login_email_reference FOREIGN KEY(email) REFERENCES identity_person (email) ON DELETE CASCADE
);
CREATE TABLE identity_person (
	email TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	given_name TEXT NOT NULL, 
	family_name TEXT NOT NULL, 
	password_hash TEXT NOT NULL, 
	created DATETIME NOT NULL, space TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT identity_person_key PRIMARY KEY (email), 
	CONSTRAINT identity_person_subject_unique UNIQUE (subject)
);
INSERT INTO "identity_person" VALUES('jeanne@exemple.fr','01m81ztfftnadw8z5fft4p3mq0','Jeanne','','$argon2id$v=19$m=65536,t=3,p=4$4xrsl32GZhnHlUmYGaxBbg$0eAqHyFRFkMEmemtvaHdkzsjos44Ml1qOTf/2YqhGfc','2026-11-22 16:00:57.850823','');
CREATE TABLE identity_refresh (
	print TEXT NOT NULL, 
	family TEXT NOT NULL, 
	expires DATETIME NOT NULL, 
	used BOOLEAN NOT NULL, 
	CONSTRAINT identity_refresh_key PRIMARY KEY (print), 
	CONSTRAINT identity_refresh_family_reference FOREIGN KEY(family) REFERENCES identity_family (id) ON DELETE CASCADE
);
CREATE TABLE identity_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT identity_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "identity_version" VALUES('0002');
CREATE TABLE reports_batch (
	id TEXT NOT NULL, 
	author TEXT NOT NULL, 
	created DATETIME NOT NULL, 
	name TEXT NOT NULL, 
	folder TEXT NOT NULL, 
	shared BOOLEAN NOT NULL, 
	columns JSON NOT NULL, 
	log TEXT NOT NULL, 
	shown JSON NOT NULL, 
	CONSTRAINT reports_batch_key PRIMARY KEY (id)
);
CREATE TABLE reports_job (
	id TEXT NOT NULL, 
	batch TEXT, 
	position INTEGER NOT NULL, 
	author TEXT NOT NULL, 
	created DATETIME NOT NULL, 
	shared BOOLEAN NOT NULL, 
	kind TEXT NOT NULL, 
	spec JSON NOT NULL, 
	grouping TEXT, 
	folder TEXT NOT NULL, 
	stem TEXT NOT NULL, 
	"row" JSON, 
	state TEXT NOT NULL, 
	attempts INTEGER NOT NULL, 
	not_before DATETIME, 
	worker TEXT, 
	token TEXT, 
	lease DATETIME, 
	started DATETIME, 
	ended DATETIME, 
	seconds FLOAT, 
	cause TEXT NOT NULL, 
	warnings JSON NOT NULL, 
	files JSON NOT NULL, 
	facts JSON NOT NULL, announced DATETIME, 
	CONSTRAINT reports_job_key PRIMARY KEY (id), 
	CONSTRAINT reports_job_batch_reference FOREIGN KEY(batch) REFERENCES reports_batch (id), 
	CONSTRAINT reports_job_folder_stem_unique UNIQUE (folder, stem)
);
INSERT INTO "reports_job" VALUES('01job',NULL,0,'jeanne@exemple.fr','2026-01-02 00:00:00.000000',1,'report','{"kind": "report", "exercices": [2024]}',NULL,'/srv/rapports/api/2026-01-02','rapport','{}','DONE',1,NULL,NULL,NULL,NULL,'2026-01-02 00:00:00.000000','2026-01-02 00:00:00.000000',1.5,'','[]','{"html": "rapport.html"}','{}',NULL);
CREATE TABLE reports_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT reports_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "reports_version" VALUES('0002');
CREATE TABLE schedules_entry (
	id TEXT NOT NULL, 
	author TEXT NOT NULL, 
	created DATETIME NOT NULL, 
	name TEXT NOT NULL, 
	cron TEXT NOT NULL, 
	request JSON NOT NULL, 
	paused BOOLEAN NOT NULL, 
	due DATETIME NOT NULL, 
	last DATETIME, 
	batch TEXT, 
	cause TEXT NOT NULL, 
	CONSTRAINT schedules_entry_key PRIMARY KEY (id)
);
CREATE TABLE schedules_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT schedules_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "schedules_version" VALUES('0001');
CREATE TABLE store_counter (
	name TEXT NOT NULL, 
	value BIGINT NOT NULL, 
	CONSTRAINT store_counter_key PRIMARY KEY (name)
);
INSERT INTO "store_counter" VALUES('policies',2);
INSERT INTO "store_counter" VALUES('object',5);
INSERT INTO "store_counter" VALUES('sheet',5);
CREATE TABLE store_file (
	id INTEGER NOT NULL, 
	digest BLOB NOT NULL, 
	content BLOB NOT NULL, 
	CONSTRAINT store_file_key PRIMARY KEY (id), 
	CONSTRAINT store_file_digest_unique UNIQUE (digest)
);
CREATE TABLE store_journal (
	id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	reader TEXT NOT NULL, 
	action TEXT NOT NULL, 
	bucket TEXT NOT NULL, 
	"query" TEXT NOT NULL, 
	outcome TEXT NOT NULL, 
	CONSTRAINT store_journal_key PRIMARY KEY (id)
);
INSERT INTO "store_journal" VALUES(1,'2026-11-22 16:00:56.400131','system','protect','system','{"manager":"manager"}','1');
INSERT INTO "store_journal" VALUES(2,'2026-11-22 16:00:56.530654','system','install','system','{"policies":["budgets","rapport","rapport auteur"]}','3');
INSERT INTO "store_journal" VALUES(3,'2026-11-22 16:00:56.584948','jeanne@exemple.fr','put','public','{}','1');
INSERT INTO "store_journal" VALUES(4,'2026-11-22 16:00:56.653090','jeanne@exemple.fr','get','public','{}','1');
CREATE TABLE store_key (
	object_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT store_key_key PRIMARY KEY (object_id, name)
);
INSERT INTO "store_key" VALUES(1,'type','policy');
INSERT INTO "store_key" VALUES(1,'name','system');
INSERT INTO "store_key" VALUES(2,'type','policy');
INSERT INTO "store_key" VALUES(2,'name','rapport');
INSERT INTO "store_key" VALUES(4,'type','policy');
INSERT INTO "store_key" VALUES(4,'name','budgets');
INSERT INTO "store_key" VALUES(3,'type','policy');
INSERT INTO "store_key" VALUES(3,'name','rapport auteur');
INSERT INTO "store_key" VALUES(5,'siren','012345678');
CREATE TABLE store_object (
	id INTEGER NOT NULL, 
	bucket TEXT NOT NULL, 
	digest BLOB NOT NULL, 
	"key" TEXT NOT NULL, 
	CONSTRAINT store_object_key PRIMARY KEY (id), 
	CONSTRAINT store_object_bucket_digest_unique UNIQUE (bucket, digest)
);
INSERT INTO "store_object" VALUES(1,'system',X'CEE6CF7BD72F5AA18ADF0D0E9624B7A951579F4E1F24F9166423473EB494DFF2','{"bucket":"system","name":"system","type":"policy"}');
INSERT INTO "store_object" VALUES(2,'system',X'150FA0A6AE0249B02054FA3258F60D311F8B1B1C4FAB473D7867E59FED1A6938','{"bucket":"system","name":"rapport","type":"policy"}');
INSERT INTO "store_object" VALUES(3,'system',X'B90045898434D83A715F39FF89DB07EC25EFD14032F96B24FE283347313D1371','{"bucket":"system","name":"rapport auteur","type":"policy"}');
INSERT INTO "store_object" VALUES(4,'system',X'8B51554FEEF68E9D8BF17FF205450953EB2D8EDEA72AAD78909942CF1F5FE086','{"bucket":"system","name":"budgets","type":"policy"}');
INSERT INTO "store_object" VALUES(5,'public',X'44F519F156DCDC35A0DA2E128822D57299B2B148F2561A96532E3DF99F399936','{"bucket":"public","siren":"012345678"}');
CREATE TABLE store_property (
	object_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	sheet_id INTEGER NOT NULL, 
	scope_id INTEGER NOT NULL, 
	released DATETIME NOT NULL, 
	bucket TEXT NOT NULL, 
	rank SMALLINT, 
	number DOUBLE NOT NULL, 
	text TEXT NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT store_property_key PRIMARY KEY (object_id, name, sheet_id)
);
INSERT INTO "store_property" VALUES(1,'key',1,1,'2026-11-22 16:00:56.400131','system',NULL,0.0,'','{}');
INSERT INTO "store_property" VALUES(1,'scope',1,1,'2026-11-22 16:00:56.400131','system',NULL,0.0,'','[]');
INSERT INTO "store_property" VALUES(1,'read',1,1,'2026-11-22 16:00:56.400131','system',NULL,0.0,'','["manager"]');
INSERT INTO "store_property" VALUES(1,'write',1,1,'2026-11-22 16:00:56.400131','system',NULL,0.0,'','["manager"]');
INSERT INTO "store_property" VALUES(1,'promote',1,1,'2026-11-22 16:00:56.400131','system',NULL,0.0,'','[]');
INSERT INTO "store_property" VALUES(1,'writable',1,1,'2026-11-22 16:00:56.400131','system',NULL,0.0,'','null');
INSERT INTO "store_property" VALUES(1,'match',1,1,'2026-11-22 16:00:56.400131','system',3,0.0,'^system$','"^system$"');
INSERT INTO "store_property" VALUES(2,'key',2,1,'2026-11-22 16:00:56.530654','system',NULL,0.0,'','{}');
INSERT INTO "store_property" VALUES(2,'scope',2,1,'2026-11-22 16:00:56.530654','system',NULL,0.0,'','[]');
INSERT INTO "store_property" VALUES(2,'read',2,1,'2026-11-22 16:00:56.530654','system',NULL,0.0,'','[]');
INSERT INTO "store_property" VALUES(2,'write',2,1,'2026-11-22 16:00:56.530654','system',NULL,0.0,'','["$auteur"]');
INSERT INTO "store_property" VALUES(2,'promote',2,1,'2026-11-22 16:00:56.530654','system',NULL,0.0,'','[]');
INSERT INTO "store_property" VALUES(2,'writable',2,1,'2026-11-22 16:00:56.530654','system',NULL,0.0,'','null');
INSERT INTO "store_property" VALUES(2,'match',2,1,'2026-11-22 16:00:56.530654','system',3,0.0,'^rapport$','"^rapport$"');
INSERT INTO "store_property" VALUES(3,'key',3,1,'2026-11-22 16:00:56.530654','system',NULL,0.0,'','{"auteur":"$user.email"}');
INSERT INTO "store_property" VALUES(3,'scope',3,1,'2026-11-22 16:00:56.530654','system',NULL,0.0,'','[]');
INSERT INTO "store_property" VALUES(3,'read',3,1,'2026-11-22 16:00:56.530654','system',NULL,0.0,'','[]');
INSERT INTO "store_property" VALUES(3,'write',3,1,'2026-11-22 16:00:56.530654','system',NULL,0.0,'','[]');
INSERT INTO "store_property" VALUES(3,'promote',3,1,'2026-11-22 16:00:56.530654','system',NULL,0.0,'','["$auteur"]');
INSERT INTO "store_property" VALUES(3,'writable',3,1,'2026-11-22 16:00:56.530654','system',NULL,0.0,'','null');
INSERT INTO "store_property" VALUES(3,'match',3,1,'2026-11-22 16:00:56.530654','system',3,0.0,'^rapport$','"^rapport$"');
INSERT INTO "store_property" VALUES(4,'key',4,1,'2026-11-22 16:00:56.530654','system',NULL,0.0,'','{}');
INSERT INTO "store_property" VALUES(4,'scope',4,1,'2026-11-22 16:00:56.530654','system',NULL,0.0,'','[]');
INSERT INTO "store_property" VALUES(4,'read',4,1,'2026-11-22 16:00:56.530654','system',NULL,0.0,'','[]');
INSERT INTO "store_property" VALUES(4,'write',4,1,'2026-11-22 16:00:56.530654','system',NULL,0.0,'','["$base"]');
INSERT INTO "store_property" VALUES(4,'promote',4,1,'2026-11-22 16:00:56.530654','system',NULL,0.0,'','[]');
INSERT INTO "store_property" VALUES(4,'writable',4,1,'2026-11-22 16:00:56.530654','system',NULL,0.0,'','null');
INSERT INTO "store_property" VALUES(4,'match',4,1,'2026-11-22 16:00:56.530654','system',3,0.0,'^dgfip$','"^dgfip$"');
INSERT INTO "store_property" VALUES(5,'effectif',5,2,'2026-11-22 16:00:56.584948','public',2,12.0,'','12');
CREATE TABLE store_property_file (
	object_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	sheet_id INTEGER NOT NULL, 
	file_id INTEGER NOT NULL, 
	CONSTRAINT store_property_file_key PRIMARY KEY (object_id, name, sheet_id), 
	CONSTRAINT store_property_file_file_id_reference FOREIGN KEY(file_id) REFERENCES store_file (id)
);
CREATE TABLE store_purge (
	id TEXT NOT NULL, 
	CONSTRAINT store_purge_key PRIMARY KEY (id)
);
CREATE TABLE store_scope (
	id INTEGER NOT NULL, 
	digest BLOB NOT NULL, 
	CONSTRAINT store_scope_key PRIMARY KEY (id), 
	CONSTRAINT store_scope_digest_unique UNIQUE (digest)
);
INSERT INTO "store_scope" VALUES(1,X'4F53CDA18C2BAA0C0354BB5F9A3ECBE5ED12AB4D8E11BA873C2F11161202B945');
INSERT INTO "store_scope" VALUES(2,X'232C2632FA218B90D7F573A2CB15C179D3E9E6CB18041BDCBB0CE60E91BC645A');
CREATE TABLE store_scope_badge (
	scope_id INTEGER NOT NULL, 
	badge TEXT NOT NULL, 
	CONSTRAINT store_scope_badge_key PRIMARY KEY (scope_id, badge)
);
INSERT INTO "store_scope_badge" VALUES(2,'bfc');
CREATE TABLE store_sheet (
	id INTEGER NOT NULL, 
	object_id INTEGER NOT NULL, 
	scope_id INTEGER NOT NULL, 
	publication TEXT NOT NULL, 
	added DATETIME NOT NULL, 
	released DATETIME NOT NULL, 
	author TEXT NOT NULL, 
	CONSTRAINT store_sheet_key PRIMARY KEY (id), 
	CONSTRAINT store_sheet_object_id_reference FOREIGN KEY(object_id) REFERENCES store_object (id), 
	CONSTRAINT store_sheet_scope_id_reference FOREIGN KEY(scope_id) REFERENCES store_scope (id)
);
INSERT INTO "store_sheet" VALUES(1,1,1,'01m81zte3tn2z4a65fa6sm3syz','2026-11-22 16:00:56.400131','2026-11-22 16:00:56.400131','system');
INSERT INTO "store_sheet" VALUES(2,2,1,'01m81zte6jarnrrc51pxbxq6kb','2026-11-22 16:00:56.530654','2026-11-22 16:00:56.530654','system');
INSERT INTO "store_sheet" VALUES(3,3,1,'01m81zte6jarnrrc51pxbxq6kb','2026-11-22 16:00:56.530654','2026-11-22 16:00:56.530654','system');
INSERT INTO "store_sheet" VALUES(4,4,1,'01m81zte6jarnrrc51pxbxq6kb','2026-11-22 16:00:56.530654','2026-11-22 16:00:56.530654','system');
INSERT INTO "store_sheet" VALUES(5,5,2,'01m81zte8tskkzxe7p3qyvvb2k','2026-11-22 16:00:56.584948','2026-11-22 16:00:56.584948','jeanne@exemple.fr');
CREATE TABLE store_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT store_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "store_version" VALUES('0003');
CREATE INDEX identity_login_email_index ON identity_login (email);
CREATE INDEX identity_family_login_index ON identity_family (login);
CREATE INDEX identity_family_email_index ON identity_family (email);
CREATE INDEX identity_code_family_index ON identity_code (family);
CREATE INDEX identity_refresh_family_index ON identity_refresh (family);
CREATE INDEX identity_attempt_since_index ON identity_attempt (since);
CREATE INDEX store_object_bucket_id_index ON store_object (bucket, id);
CREATE INDEX store_key_name_value_object_id_index ON store_key (name, value, object_id);
CREATE INDEX store_sheet_object_id_index ON store_sheet (object_id);
CREATE INDEX store_journal_at_index ON store_journal (at);
CREATE INDEX store_journal_reader_at_index ON store_journal (reader, at);
CREATE TRIGGER store_object_updated BEFORE UPDATE ON store_object BEGIN SELECT RAISE(ABORT, 'the store is append-only'); END;
CREATE TRIGGER store_object_deleted BEFORE DELETE ON store_object WHEN NOT EXISTS (SELECT 1 FROM store_purge) BEGIN SELECT RAISE(ABORT, 'the store is append-only'); END;
CREATE TRIGGER store_key_updated BEFORE UPDATE ON store_key BEGIN SELECT RAISE(ABORT, 'the store is append-only'); END;
CREATE TRIGGER store_key_deleted BEFORE DELETE ON store_key WHEN NOT EXISTS (SELECT 1 FROM store_purge) BEGIN SELECT RAISE(ABORT, 'the store is append-only'); END;
CREATE TRIGGER store_scope_updated BEFORE UPDATE ON store_scope BEGIN SELECT RAISE(ABORT, 'the store is append-only'); END;
CREATE TRIGGER store_scope_deleted BEFORE DELETE ON store_scope WHEN NOT EXISTS (SELECT 1 FROM store_purge) BEGIN SELECT RAISE(ABORT, 'the store is append-only'); END;
CREATE TRIGGER store_scope_badge_updated BEFORE UPDATE ON store_scope_badge BEGIN SELECT RAISE(ABORT, 'the store is append-only'); END;
CREATE TRIGGER store_scope_badge_deleted BEFORE DELETE ON store_scope_badge WHEN NOT EXISTS (SELECT 1 FROM store_purge) BEGIN SELECT RAISE(ABORT, 'the store is append-only'); END;
CREATE TRIGGER store_sheet_updated BEFORE UPDATE ON store_sheet BEGIN SELECT RAISE(ABORT, 'the store is append-only'); END;
CREATE TRIGGER store_sheet_deleted BEFORE DELETE ON store_sheet WHEN NOT EXISTS (SELECT 1 FROM store_purge) BEGIN SELECT RAISE(ABORT, 'the store is append-only'); END;
CREATE TRIGGER store_property_updated BEFORE UPDATE ON store_property BEGIN SELECT RAISE(ABORT, 'the store is append-only'); END;
CREATE TRIGGER store_property_deleted BEFORE DELETE ON store_property WHEN NOT EXISTS (SELECT 1 FROM store_purge) BEGIN SELECT RAISE(ABORT, 'the store is append-only'); END;
CREATE TRIGGER store_journal_updated BEFORE UPDATE ON store_journal BEGIN SELECT RAISE(ABORT, 'the store is append-only'); END;
CREATE TRIGGER store_journal_deleted BEFORE DELETE ON store_journal WHEN NOT EXISTS (SELECT 1 FROM store_purge) BEGIN SELECT RAISE(ABORT, 'the store is append-only'); END;
CREATE INDEX store_property_file_file_id_index ON store_property_file (file_id);
CREATE TRIGGER store_file_updated BEFORE UPDATE ON store_file BEGIN SELECT RAISE(ABORT, 'the store is append-only'); END;
CREATE TRIGGER store_file_deleted BEFORE DELETE ON store_file WHEN NOT EXISTS (SELECT 1 FROM store_purge) BEGIN SELECT RAISE(ABORT, 'the store is append-only'); END;
CREATE TRIGGER store_property_file_updated BEFORE UPDATE ON store_property_file BEGIN SELECT RAISE(ABORT, 'the store is append-only'); END;
CREATE TRIGGER store_property_file_deleted BEFORE DELETE ON store_property_file WHEN NOT EXISTS (SELECT 1 FROM store_purge) BEGIN SELECT RAISE(ABORT, 'the store is append-only'); END;
CREATE INDEX store_property_order_index ON store_property (bucket, name, rank, number, text, sheet_id) WHERE rank IS NOT NULL;
CREATE INDEX discussion_comment_trame_indicateur_index ON discussion_comment (trame, indicateur);
CREATE INDEX reports_batch_author_created_index ON reports_batch (author, created);
CREATE INDEX reports_job_state_batch_index ON reports_job (state, batch);
CREATE INDEX reports_job_batch_position_index ON reports_job (batch, position);
CREATE INDEX reports_job_author_created_index ON reports_job (author, created);
CREATE INDEX schedules_entry_paused_due_index ON schedules_entry (paused, due);
CREATE INDEX schedules_entry_author_index ON schedules_entry (author);
CREATE INDEX detection_list_batch_algo_index ON detection_list (batch, algo);
COMMIT;
