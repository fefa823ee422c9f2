CREATE FUNCTION public.store_append_only() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM store_purge) THEN
                RETURN NULL;
            END IF;
            RAISE EXCEPTION 'the store is append-only';
        END $$;
CREATE TABLE public.api_number (
    number integer NOT NULL,
    kind text NOT NULL,
    name text NOT NULL
);
CREATE SEQUENCE public.api_number_number_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.api_number_number_seq OWNED BY public.api_number.number;
CREATE TABLE public.api_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.detection_list (
    id text NOT NULL,
    created timestamp with time zone NOT NULL,
    author text NOT NULL,
    model text NOT NULL,
    batch text NOT NULL,
    snapshot text NOT NULL,
    algo text NOT NULL,
    code text NOT NULL,
    periode text NOT NULL,
    data text NOT NULL,
    card json NOT NULL
);
CREATE TABLE public.detection_model (
    id text NOT NULL,
    created timestamp with time zone NOT NULL,
    author text NOT NULL,
    kind text NOT NULL,
    batch text NOT NULL,
    snapshot text NOT NULL,
    code text NOT NULL,
    seed bigint NOT NULL,
    content json NOT NULL
);
CREATE TABLE public.detection_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.discussion_comment (
    id text NOT NULL,
    author text NOT NULL,
    created timestamp with time zone NOT NULL,
    edited timestamp with time zone,
    trame text,
    indicateur text,
    text text NOT NULL
);
CREATE TABLE public.discussion_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.identity_attempt (
    print text NOT NULL,
    since timestamp with time zone NOT NULL,
    failures integer NOT NULL
);
CREATE TABLE public.identity_badge (
    email text NOT NULL,
    badge text NOT NULL
);
CREATE TABLE public.identity_code (
    print text NOT NULL,
    family text NOT NULL,
    redirect text NOT NULL,
    challenge text NOT NULL,
    expires timestamp with time zone NOT NULL,
    used boolean NOT NULL
);
CREATE TABLE public.identity_family (
    id text NOT NULL,
    email text NOT NULL,
    client text NOT NULL,
    scope text NOT NULL,
    login text,
    nonce text,
    logged_in timestamp with time zone NOT NULL,
    expires timestamp with time zone NOT NULL,
    revoked boolean NOT NULL
);
CREATE TABLE public.identity_login (
    print text NOT NULL,
    email text NOT NULL,
    created timestamp with time zone NOT NULL,
    expires timestamp with time zone NOT NULL
);
CREATE TABLE public.identity_person (
    email text NOT NULL,
    subject text NOT NULL,
    given_name text NOT NULL,
    family_name text NOT NULL,
    password_hash text NOT NULL,
    created timestamp with time zone NOT NULL,
    space text DEFAULT ''::text NOT NULL
);
CREATE TABLE public.identity_refresh (
    print text NOT NULL,
    family text NOT NULL,
    expires timestamp with time zone NOT NULL,
    used boolean NOT NULL
);
CREATE TABLE public.identity_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.reports_batch (
    id text NOT NULL,
    author text NOT NULL,
    created timestamp with time zone NOT NULL,
    name text NOT NULL,
    folder text NOT NULL,
    shared boolean NOT NULL,
    columns json NOT NULL,
    log text NOT NULL,
    shown json NOT NULL
);
CREATE TABLE public.reports_job (
    id text NOT NULL,
    batch text,
    "position" integer NOT NULL,
    author text NOT NULL,
    created timestamp with time zone NOT NULL,
    shared boolean NOT NULL,
    kind text NOT NULL,
    spec json NOT NULL,
    "grouping" text,
    folder text NOT NULL,
    stem text NOT NULL,
    "row" json,
    state text NOT NULL,
    attempts integer NOT NULL,
    not_before timestamp with time zone,
    worker text,
    token text,
    lease timestamp with time zone,
    started timestamp with time zone,
    ended timestamp with time zone,
    seconds double precision,
    cause text NOT NULL,
    warnings json NOT NULL,
    files json NOT NULL,
    facts json NOT NULL,
    announced timestamp with time zone
);
CREATE TABLE public.reports_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.schedules_entry (
    id text NOT NULL,
    author text NOT NULL,
    created timestamp with time zone NOT NULL,
    name text NOT NULL,
    cron text NOT NULL,
    request json NOT NULL,
    paused boolean NOT NULL,
    due timestamp with time zone NOT NULL,
    last timestamp with time zone,
    batch text,
    cause text NOT NULL
);
CREATE TABLE public.schedules_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.store_counter (
    name text NOT NULL,
    value bigint NOT NULL
);
CREATE TABLE public.store_file (
    id bigint NOT NULL,
    digest bytea NOT NULL,
    content bytea NOT NULL
);
CREATE SEQUENCE public.store_file_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.store_file_id_seq OWNED BY public.store_file.id;
CREATE TABLE public.store_journal (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    reader text NOT NULL COLLATE pg_catalog."C",
    action text NOT NULL COLLATE pg_catalog."C",
    bucket text NOT NULL COLLATE pg_catalog."C",
    query text NOT NULL,
    outcome text NOT NULL COLLATE pg_catalog."C"
);
CREATE SEQUENCE public.store_journal_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.store_journal_id_seq OWNED BY public.store_journal.id;
CREATE TABLE public.store_key (
    object_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.store_object (
    id bigint NOT NULL,
    bucket text NOT NULL COLLATE pg_catalog."C",
    digest bytea NOT NULL,
    key text NOT NULL
);
CREATE SEQUENCE public.store_object_numbers
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE public.store_property (
    object_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    sheet_id bigint NOT NULL,
    scope_id bigint NOT NULL,
    released timestamp with time zone NOT NULL,
    bucket text NOT NULL COLLATE pg_catalog."C",
    rank smallint,
    number double precision NOT NULL,
    text text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL
);
CREATE TABLE public.store_property_file (
    object_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    sheet_id bigint NOT NULL,
    file_id bigint NOT NULL
);
CREATE TABLE public.store_purge (
    id text NOT NULL
);
CREATE TABLE public.store_scope (
    id bigint NOT NULL,
    digest bytea NOT NULL
);
CREATE TABLE public.store_scope_badge (
    scope_id bigint NOT NULL,
    badge text NOT NULL COLLATE pg_catalog."C"
);
CREATE SEQUENCE public.store_scope_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.store_scope_id_seq OWNED BY public.store_scope.id;
CREATE TABLE public.store_sheet (
    id bigint NOT NULL,
    object_id bigint NOT NULL,
    scope_id bigint NOT NULL,
    publication text NOT NULL COLLATE pg_catalog."C",
    added timestamp with time zone NOT NULL,
    released timestamp with time zone NOT NULL,
    author text NOT NULL
);
CREATE SEQUENCE public.store_sheet_numbers
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE public.store_version (
    version_num character varying(32) NOT NULL
);
ALTER TABLE ONLY public.api_number ALTER COLUMN number SET DEFAULT nextval('public.api_number_number_seq'::regclass);
ALTER TABLE ONLY public.store_file ALTER COLUMN id SET DEFAULT nextval('public.store_file_id_seq'::regclass);
ALTER TABLE ONLY public.store_journal ALTER COLUMN id SET DEFAULT nextval('public.store_journal_id_seq'::regclass);
ALTER TABLE ONLY public.store_scope ALTER COLUMN id SET DEFAULT nextval('public.store_scope_id_seq'::regclass);
INSERT INTO public.api_version VALUES ('0001');
INSERT INTO public.detection_version VALUES ('0001');
INSERT INTO public.discussion_comment VALUES ('01m81zvg35gq06ds5z9am1ykh2', 'jeanne@exemple.fr', '2026-11-22 16:01:31.238253+00', NULL, NULL, NULL, 'À relire.');
INSERT INTO public.discussion_version VALUES ('0001');
INSERT INTO public.identity_badge VALUES ('jeanne@exemple.fr', 'bfc');
INSERT INTO public.identity_person VALUES ('jeanne@exemple.fr', '01m81zvg28egck5bnyp994qgan', 'Jeanne', '', '$argon2id$v=19$m=65536,t=3,p=4$1kGVB4OLmjraOvWM4wOnSA$J3P0gCMm5SGf0WheOWNDQr29cwRuU09Crbg8DvbIbsE', '2026-11-22 16:01:31.209623+00', '');
INSERT INTO public.identity_version VALUES ('0002');
INSERT INTO public.reports_job VALUES ('01job', NULL, 0, 'jeanne@exemple.fr', '2026-01-02 00:00:00+00', true, 'report', '{"kind": "report", "exercices": [2024]}', NULL, '/srv/rapports/api/2026-01-02', 'rapport', '{}', 'DONE', 1, NULL, NULL, NULL, NULL, '2026-01-02 00:00:00+00', '2026-01-02 00:00:00+00', 1.5, '', '[]', '{"html": "rapport.html"}', '{}', NULL);
INSERT INTO public.reports_version VALUES ('0002');
INSERT INTO public.schedules_version VALUES ('0001');
INSERT INTO public.store_counter VALUES ('object', 0);
INSERT INTO public.store_counter VALUES ('sheet', 0);
INSERT INTO public.store_counter VALUES ('policies', 2);
INSERT INTO public.store_journal VALUES (1, '2026-11-22 16:01:29.990888+00', 'system', 'protect', 'system', '{"manager":"manager"}', '1');
INSERT INTO public.store_journal VALUES (2, '2026-11-22 16:01:30.137925+00', 'system', 'install', 'system', '{"policies":["budgets","rapport","rapport auteur"]}', '3');
INSERT INTO public.store_journal VALUES (3, '2026-11-22 16:01:30.190976+00', 'jeanne@exemple.fr', 'put', 'public', '{}', '1');
INSERT INTO public.store_journal VALUES (4, '2026-11-22 16:01:30.257073+00', 'jeanne@exemple.fr', 'get', 'public', '{}', '1');
INSERT INTO public.store_key VALUES (1, 'type', 'policy');
INSERT INTO public.store_key VALUES (1, 'name', 'system');
INSERT INTO public.store_key VALUES (2, 'type', 'policy');
INSERT INTO public.store_key VALUES (2, 'name', 'rapport');
INSERT INTO public.store_key VALUES (4, 'type', 'policy');
INSERT INTO public.store_key VALUES (4, 'name', 'budgets');
INSERT INTO public.store_key VALUES (3, 'type', 'policy');
INSERT INTO public.store_key VALUES (3, 'name', 'rapport auteur');
INSERT INTO public.store_key VALUES (5, 'siren', '012345678');
INSERT INTO public.store_object VALUES (1, 'system', '\xcee6cf7bd72f5aa18adf0d0e9624b7a951579f4e1f24f9166423473eb494dff2', '{"bucket":"system","name":"system","type":"policy"}');
INSERT INTO public.store_object VALUES (2, 'system', '\x150fa0a6ae0249b02054fa3258f60d311f8b1b1c4fab473d7867e59fed1a6938', '{"bucket":"system","name":"rapport","type":"policy"}');
INSERT INTO public.store_object VALUES (4, 'system', '\x8b51554feef68e9d8bf17ff205450953eb2d8edea72aad78909942cf1f5fe086', '{"bucket":"system","name":"budgets","type":"policy"}');
INSERT INTO public.store_object VALUES (3, 'system', '\xb90045898434d83a715f39ff89db07ec25efd14032f96b24fe283347313d1371', '{"bucket":"system","name":"rapport auteur","type":"policy"}');
INSERT INTO public.store_object VALUES (5, 'public', '\x44f519f156dcdc35a0da2e128822d57299b2b148f2561a96532e3df99f399936', '{"bucket":"public","siren":"012345678"}');
INSERT INTO public.store_property VALUES (1, 'key', 1, 1, '2026-11-22 16:01:29.990888+00', 'system', NULL, 0, '', '{}');
INSERT INTO public.store_property VALUES (1, 'scope', 1, 1, '2026-11-22 16:01:29.990888+00', 'system', NULL, 0, '', '[]');
INSERT INTO public.store_property VALUES (1, 'read', 1, 1, '2026-11-22 16:01:29.990888+00', 'system', NULL, 0, '', '["manager"]');
INSERT INTO public.store_property VALUES (1, 'write', 1, 1, '2026-11-22 16:01:29.990888+00', 'system', NULL, 0, '', '["manager"]');
INSERT INTO public.store_property VALUES (1, 'promote', 1, 1, '2026-11-22 16:01:29.990888+00', 'system', NULL, 0, '', '[]');
INSERT INTO public.store_property VALUES (1, 'writable', 1, 1, '2026-11-22 16:01:29.990888+00', 'system', NULL, 0, '', 'null');
INSERT INTO public.store_property VALUES (1, 'match', 1, 1, '2026-11-22 16:01:29.990888+00', 'system', 3, 0, '^system$', '"^system$"');
INSERT INTO public.store_property VALUES (2, 'key', 2, 1, '2026-11-22 16:01:30.137925+00', 'system', NULL, 0, '', '{}');
INSERT INTO public.store_property VALUES (2, 'scope', 2, 1, '2026-11-22 16:01:30.137925+00', 'system', NULL, 0, '', '[]');
INSERT INTO public.store_property VALUES (2, 'read', 2, 1, '2026-11-22 16:01:30.137925+00', 'system', NULL, 0, '', '[]');
INSERT INTO public.store_property VALUES (2, 'write', 2, 1, '2026-11-22 16:01:30.137925+00', 'system', NULL, 0, '', '["$auteur"]');
INSERT INTO public.store_property VALUES (2, 'promote', 2, 1, '2026-11-22 16:01:30.137925+00', 'system', NULL, 0, '', '[]');
INSERT INTO public.store_property VALUES (2, 'writable', 2, 1, '2026-11-22 16:01:30.137925+00', 'system', NULL, 0, '', 'null');
INSERT INTO public.store_property VALUES (2, 'match', 2, 1, '2026-11-22 16:01:30.137925+00', 'system', 3, 0, '^rapport$', '"^rapport$"');
INSERT INTO public.store_property VALUES (3, 'key', 3, 1, '2026-11-22 16:01:30.137925+00', 'system', NULL, 0, '', '{"auteur":"$user.email"}');
INSERT INTO public.store_property VALUES (3, 'scope', 3, 1, '2026-11-22 16:01:30.137925+00', 'system', NULL, 0, '', '[]');
INSERT INTO public.store_property VALUES (3, 'read', 3, 1, '2026-11-22 16:01:30.137925+00', 'system', NULL, 0, '', '[]');
INSERT INTO public.store_property VALUES (3, 'write', 3, 1, '2026-11-22 16:01:30.137925+00', 'system', NULL, 0, '', '[]');
INSERT INTO public.store_property VALUES (3, 'promote', 3, 1, '2026-11-22 16:01:30.137925+00', 'system', NULL, 0, '', '["$auteur"]');
INSERT INTO public.store_property VALUES (3, 'writable', 3, 1, '2026-11-22 16:01:30.137925+00', 'system', NULL, 0, '', 'null');
INSERT INTO public.store_property VALUES (3, 'match', 3, 1, '2026-11-22 16:01:30.137925+00', 'system', 3, 0, '^rapport$', '"^rapport$"');
INSERT INTO public.store_property VALUES (4, 'key', 4, 1, '2026-11-22 16:01:30.137925+00', 'system', NULL, 0, '', '{}');
INSERT INTO public.store_property VALUES (4, 'scope', 4, 1, '2026-11-22 16:01:30.137925+00', 'system', NULL, 0, '', '[]');
INSERT INTO public.store_property VALUES (4, 'read', 4, 1, '2026-11-22 16:01:30.137925+00', 'system', NULL, 0, '', '[]');
INSERT INTO public.store_property VALUES (4, 'write', 4, 1, '2026-11-22 16:01:30.137925+00', 'system', NULL, 0, '', '["$base"]');
INSERT INTO public.store_property VALUES (4, 'promote', 4, 1, '2026-11-22 16:01:30.137925+00', 'system', NULL, 0, '', '[]');
INSERT INTO public.store_property VALUES (4, 'writable', 4, 1, '2026-11-22 16:01:30.137925+00', 'system', NULL, 0, '', 'null');
INSERT INTO public.store_property VALUES (4, 'match', 4, 1, '2026-11-22 16:01:30.137925+00', 'system', 3, 0, '^dgfip$', '"^dgfip$"');
INSERT INTO public.store_property VALUES (5, 'effectif', 5, 2, '2026-11-22 16:01:30.190976+00', 'public', 2, 12, '', '12');
INSERT INTO public.store_scope VALUES (1, '\x4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945');
INSERT INTO public.store_scope VALUES (2, '\x232c2632fa218b90d7f573a2cb15c179d3e9e6cb18041bdcbb0ce60e91bc645a');
INSERT INTO public.store_scope_badge VALUES (2, 'bfc');
INSERT INTO public.store_sheet VALUES (1, 1, 1, '01m81zvewx62www6fkds92dfnc', '2026-11-22 16:01:29.990888+00', '2026-11-22 16:01:29.990888+00', 'system');
INSERT INTO public.store_sheet VALUES (2, 2, 1, '01m81zvf0t0ytkc3n947g1r2g9', '2026-11-22 16:01:30.137925+00', '2026-11-22 16:01:30.137925+00', 'system');
INSERT INTO public.store_sheet VALUES (3, 3, 1, '01m81zvf0t0ytkc3n947g1r2g9', '2026-11-22 16:01:30.137925+00', '2026-11-22 16:01:30.137925+00', 'system');
INSERT INTO public.store_sheet VALUES (4, 4, 1, '01m81zvf0t0ytkc3n947g1r2g9', '2026-11-22 16:01:30.137925+00', '2026-11-22 16:01:30.137925+00', 'system');
INSERT INTO public.store_sheet VALUES (5, 5, 2, '01m81zvf30txv4m8zczg5pzgzs', '2026-11-22 16:01:30.190976+00', '2026-11-22 16:01:30.190976+00', 'jeanne@exemple.fr');
INSERT INTO public.store_version VALUES ('0003');
SELECT pg_catalog.setval('public.api_number_number_seq', 1, false);
SELECT pg_catalog.setval('public.store_file_id_seq', 1, false);
SELECT pg_catalog.setval('public.store_journal_id_seq', 4, true);
SELECT pg_catalog.setval('public.store_object_numbers', 5, true);
SELECT pg_catalog.setval('public.store_scope_id_seq', 2, true);
SELECT pg_catalog.setval('public.store_sheet_numbers', 5, true);
ALTER TABLE ONLY public.api_number
    ADD CONSTRAINT api_number_key PRIMARY KEY (number);
ALTER TABLE ONLY public.api_number
    ADD CONSTRAINT api_number_kind_name_unique UNIQUE (kind, name);
ALTER TABLE ONLY public.api_version
    ADD CONSTRAINT api_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.detection_list
    ADD CONSTRAINT detection_list_key PRIMARY KEY (id);
ALTER TABLE ONLY public.detection_model
    ADD CONSTRAINT detection_model_key PRIMARY KEY (id);
ALTER TABLE ONLY public.detection_version
    ADD CONSTRAINT detection_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.discussion_comment
    ADD CONSTRAINT discussion_comment_key PRIMARY KEY (id);
ALTER TABLE ONLY public.discussion_version
    ADD CONSTRAINT discussion_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.identity_attempt
    ADD CONSTRAINT identity_attempt_key PRIMARY KEY (print);
ALTER TABLE ONLY public.identity_badge
    ADD CONSTRAINT identity_badge_key PRIMARY KEY (email, badge);
ALTER TABLE ONLY public.identity_code
    ADD CONSTRAINT identity_code_key PRIMARY KEY (print);
ALTER TABLE ONLY public.identity_family
    ADD CONSTRAINT identity_family_key PRIMARY KEY (id);
ALTER TABLE ONLY public.identity_login
    ADD CONSTRAINT identity_login_key PRIMARY KEY (print);
ALTER TABLE ONLY public.identity_person
    ADD CONSTRAINT identity_person_key PRIMARY KEY (email);
ALTER TABLE ONLY public.identity_person
    ADD CONSTRAINT identity_person_subject_unique UNIQUE (subject);
ALTER TABLE ONLY public.identity_refresh
    ADD CONSTRAINT identity_refresh_key PRIMARY KEY (print);
ALTER TABLE ONLY public.identity_version
    ADD CONSTRAINT identity_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.reports_batch
    ADD CONSTRAINT reports_batch_key PRIMARY KEY (id);
ALTER TABLE ONLY public.reports_job
    ADD CONSTRAINT reports_job_folder_stem_unique UNIQUE (folder, stem);
ALTER TABLE ONLY public.reports_job
    ADD CONSTRAINT reports_job_key PRIMARY KEY (id);
ALTER TABLE ONLY public.reports_version
    ADD CONSTRAINT reports_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.schedules_entry
    ADD CONSTRAINT schedules_entry_key PRIMARY KEY (id);
ALTER TABLE ONLY public.schedules_version
    ADD CONSTRAINT schedules_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.store_counter
    ADD CONSTRAINT store_counter_key PRIMARY KEY (name);
ALTER TABLE ONLY public.store_file
    ADD CONSTRAINT store_file_digest_unique UNIQUE (digest);
ALTER TABLE ONLY public.store_file
    ADD CONSTRAINT store_file_key PRIMARY KEY (id);
ALTER TABLE ONLY public.store_journal
    ADD CONSTRAINT store_journal_key PRIMARY KEY (id);
ALTER TABLE ONLY public.store_key
    ADD CONSTRAINT store_key_key PRIMARY KEY (object_id, name);
ALTER TABLE ONLY public.store_object
    ADD CONSTRAINT store_object_bucket_digest_unique UNIQUE (bucket, digest);
ALTER TABLE ONLY public.store_object
    ADD CONSTRAINT store_object_key PRIMARY KEY (id);
ALTER TABLE ONLY public.store_property_file
    ADD CONSTRAINT store_property_file_key PRIMARY KEY (object_id, name, sheet_id);
ALTER TABLE ONLY public.store_property
    ADD CONSTRAINT store_property_key PRIMARY KEY (object_id, name, sheet_id);
ALTER TABLE ONLY public.store_purge
    ADD CONSTRAINT store_purge_key PRIMARY KEY (id);
ALTER TABLE ONLY public.store_scope_badge
    ADD CONSTRAINT store_scope_badge_key PRIMARY KEY (scope_id, badge);
ALTER TABLE ONLY public.store_scope
    ADD CONSTRAINT store_scope_digest_unique UNIQUE (digest);
ALTER TABLE ONLY public.store_scope
    ADD CONSTRAINT store_scope_key PRIMARY KEY (id);
ALTER TABLE ONLY public.store_sheet
    ADD CONSTRAINT store_sheet_key PRIMARY KEY (id);
ALTER TABLE ONLY public.store_version
    ADD CONSTRAINT store_version_pkc PRIMARY KEY (version_num);
CREATE INDEX detection_list_batch_algo_index ON public.detection_list USING btree (batch, algo);
CREATE INDEX discussion_comment_trame_indicateur_index ON public.discussion_comment USING btree (trame, indicateur);
CREATE INDEX identity_attempt_since_index ON public.identity_attempt USING btree (since);
CREATE INDEX identity_code_family_index ON public.identity_code USING btree (family);
CREATE INDEX identity_family_email_index ON public.identity_family USING btree (email);
CREATE INDEX identity_family_login_index ON public.identity_family USING btree (login);
CREATE INDEX identity_login_email_index ON public.identity_login USING btree (email);
CREATE INDEX identity_refresh_family_index ON public.identity_refresh USING btree (family);
CREATE INDEX reports_batch_author_created_index ON public.reports_batch USING btree (author, created);
CREATE INDEX reports_job_author_created_index ON public.reports_job USING btree (author, created);
CREATE INDEX reports_job_batch_position_index ON public.reports_job USING btree (batch, "position");
CREATE INDEX reports_job_state_batch_index ON public.reports_job USING btree (state, batch);
CREATE INDEX schedules_entry_author_index ON public.schedules_entry USING btree (author);
CREATE INDEX schedules_entry_paused_due_index ON public.schedules_entry USING btree (paused, due);
CREATE INDEX store_journal_at_index ON public.store_journal USING btree (at);
CREATE INDEX store_journal_reader_at_index ON public.store_journal USING btree (reader, at);
CREATE INDEX store_key_name_value_object_id_index ON public.store_key USING btree (name, value, object_id);
CREATE INDEX store_object_bucket_id_index ON public.store_object USING btree (bucket, id);
CREATE INDEX store_property_file_file_id_index ON public.store_property_file USING btree (file_id);
CREATE INDEX store_property_order_index ON public.store_property USING btree (bucket, name, rank, number, text, sheet_id) WHERE (rank IS NOT NULL);
CREATE INDEX store_sheet_object_id_index ON public.store_sheet USING btree (object_id);
CREATE TRIGGER store_file_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON public.store_file FOR EACH STATEMENT EXECUTE FUNCTION public.store_append_only();
CREATE TRIGGER store_journal_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON public.store_journal FOR EACH STATEMENT EXECUTE FUNCTION public.store_append_only();
CREATE TRIGGER store_key_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON public.store_key FOR EACH STATEMENT EXECUTE FUNCTION public.store_append_only();
CREATE TRIGGER store_object_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON public.store_object FOR EACH STATEMENT EXECUTE FUNCTION public.store_append_only();
CREATE TRIGGER store_property_file_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON public.store_property_file FOR EACH STATEMENT EXECUTE FUNCTION public.store_append_only();
CREATE TRIGGER store_property_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON public.store_property FOR EACH STATEMENT EXECUTE FUNCTION public.store_append_only();
CREATE TRIGGER store_scope_badge_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON public.store_scope_badge FOR EACH STATEMENT EXECUTE FUNCTION public.store_append_only();
CREATE TRIGGER store_scope_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON public.store_scope FOR EACH STATEMENT EXECUTE FUNCTION public.store_append_only();
CREATE TRIGGER store_sheet_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON public.store_sheet FOR EACH STATEMENT EXECUTE FUNCTION public.store_append_only();
ALTER TABLE ONLY public.detection_list
    ADD CONSTRAINT detection_list_model_reference FOREIGN KEY (model) REFERENCES public.detection_model(id);
ALTER TABLE ONLY public.identity_badge
    ADD CONSTRAINT identity_badge_email_reference FOREIGN KEY (email) REFERENCES public.identity_person(email) ON DELETE CASCADE;
ALTER TABLE ONLY public.identity_code
    ADD CONSTRAINT identity_code_family_reference FOREIGN KEY (family) REFERENCES public.identity_family(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.identity_family
    ADD CONSTRAINT identity_family_email_reference FOREIGN KEY (email) REFERENCES public.identity_person(email) ON DELETE CASCADE;
ALTER TABLE ONLY public.identity_login
    ADD CONSTRAINT identity_login_email_reference FOREIGN KEY (email) REFERENCES public.identity_person(email) ON DELETE CASCADE;
ALTER TABLE ONLY public.identity_refresh
    ADD CONSTRAINT identity_refresh_family_reference FOREIGN KEY (family) REFERENCES public.identity_family(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.reports_job
    ADD CONSTRAINT reports_job_batch_reference FOREIGN KEY (batch) REFERENCES public.reports_batch(id);
ALTER TABLE ONLY public.store_property_file
    ADD CONSTRAINT store_property_file_file_id_reference FOREIGN KEY (file_id) REFERENCES public.store_file(id);
ALTER TABLE ONLY public.store_sheet
    ADD CONSTRAINT store_sheet_object_id_reference FOREIGN KEY (object_id) REFERENCES public.store_object(id);
ALTER TABLE ONLY public.store_sheet
    ADD CONSTRAINT store_sheet_scope_id_reference FOREIGN KEY (scope_id) REFERENCES public.store_scope(id);
