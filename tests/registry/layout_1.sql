BEGIN TRANSACTION;
CREATE TABLE audit (
	seq INTEGER NOT NULL, 
	at VARCHAR NOT NULL, 
	actor VARCHAR NOT NULL, 
	action VARCHAR NOT NULL, 
	subject VARCHAR NOT NULL, 
	body TEXT NOT NULL, 
	prev_hash VARCHAR NOT NULL, 
	hash VARCHAR NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO "audit" VALUES(1,'2026-11-01T00:00:02.000000+00:00','tester','register','sha256:ec288261e19272989faa7e7ccd9512d48e2f43d1413b8358f4318251c1da19ea','{"after":{"active":"sha256:ec288261e19272989faa7e7ccd9512d48e2f43d1413b8358f4318251c1da19ea","evidence":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","name":"double","number":1,"provenance":"sha256:d4d3d640fb0e9f8b2437384b3b6fb84610c0ed637342136fc8924829350b917a","state":"active","tier":"sandbox"},"before":{"active":null},"why":"first"}','sha256:0000000000000000000000000000000000000000000000000000000000000000','sha256:16b64c1bbf6c3fcdc4779f1748faef040e56143c8327a0e3400a2a217c685be8');
INSERT INTO "audit" VALUES(2,'2026-11-01T00:00:04.000000+00:00','tester','register','sha256:f1961d8ac5dafbcf9825fb71396c09f99b5e5e2def79cd37556ce7f12c805e81','{"after":{"active":"sha256:f1961d8ac5dafbcf9825fb71396c09f99b5e5e2def79cd37556ce7f12c805e81","evidence":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","name":"quad","number":1,"provenance":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","state":"active","tier":"sandbox"},"before":{"active":null},"why":""}','sha256:16b64c1bbf6c3fcdc4779f1748faef040e56143c8327a0e3400a2a217c685be8','sha256:632aba8033a87c07f08396f1928ed802d5e64ebbb853c35fbea69331b86aee70');
INSERT INTO "audit" VALUES(3,'2026-11-01T00:00:05.000000+00:00','tester','set_tier','sha256:ec288261e19272989faa7e7ccd9512d48e2f43d1413b8358f4318251c1da19ea','{"after":{"state":"active","tier":"restricted"},"before":{"state":"active","tier":"sandbox"},"why":"trusted"}','sha256:632aba8033a87c07f08396f1928ed802d5e64ebbb853c35fbea69331b86aee70','sha256:d9c7df1926f94256f5d83a9fbf0d3ab88dfed37d9d7bc56832995742c442c947');
INSERT INTO "audit" VALUES(4,'2026-11-01T00:00:07.000000+00:00','tester','reject','sha256:a1949f2e77bb93daa59f9246d016b0f4e8d4dac686da1fafe81d4f521bac3b92','{"after":{"evidence":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","name":"bad","reasons":["no"],"state":"rejected"},"before":null,"why":"no"}','sha256:d9c7df1926f94256f5d83a9fbf0d3ab88dfed37d9d7bc56832995742c442c947','sha256:b7178dc43e6c2cc8b2ebfcbf8750d902322dda0cb0cc104ea1352514a4e04303');
CREATE TABLE rejections (
	digest VARCHAR NOT NULL, 
	spec TEXT NOT NULL, 
	reasons TEXT NOT NULL, 
	evidence TEXT NOT NULL, 
	rejected_at VARCHAR NOT NULL, 
	PRIMARY KEY (digest)
);
INSERT INTO "rejections" VALUES('sha256:a1949f2e77bb93daa59f9246d016b0f4e8d4dac686da1fafe81d4f521bac3b92','{"calls":[],"description":"","name":"bad","needs":[],"parameters":{"type":"object"},"returns":{},"source":"def bad(): ..."}','["no"]','{}','2026-11-01T00:00:06.000000+00:00');
CREATE TABLE schema_version (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "schema_version" VALUES(1);
CREATE TABLE tools (
	name VARCHAR NOT NULL, 
	active VARCHAR NOT NULL, 
	PRIMARY KEY (name), 
	FOREIGN KEY(active) REFERENCES versions (digest)
);
INSERT INTO "tools" VALUES('double','sha256:ec288261e19272989faa7e7ccd9512d48e2f43d1413b8358f4318251c1da19ea');
INSERT INTO "tools" VALUES('quad','sha256:f1961d8ac5dafbcf9825fb71396c09f99b5e5e2def79cd37556ce7f12c805e81');
CREATE TABLE uses (
	id INTEGER NOT NULL, 
	version VARCHAR NOT NULL, 
	input_digest VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	ran BOOLEAN NOT NULL, 
	duration_s FLOAT NOT NULL, 
	at VARCHAR NOT NULL, 
	task VARCHAR, 
	trace VARCHAR, 
	error TEXT NOT NULL, 
	effects TEXT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(version) REFERENCES versions (digest)
);
INSERT INTO "uses" VALUES(1,'sha256:ec288261e19272989faa7e7ccd9512d48e2f43d1413b8358f4318251c1da19ea','sha256:3d6a916e86efba9105154ea95dda8d8da47df173d931c23e7a346c7babd81a3e','ok',1,0.5,'2026-11-01T00:00:08.000000+00:00','t',NULL,'','["read"]');
INSERT INTO "uses" VALUES(2,'sha256:ec288261e19272989faa7e7ccd9512d48e2f43d1413b8358f4318251c1da19ea','sha256:3d6a916e86efba9105154ea95dda8d8da47df173d931c23e7a346c7babd81a3e','error',1,0.5,'2026-11-01T00:00:09.000000+00:00','t',NULL,'','["read"]');
INSERT INTO "uses" VALUES(3,'sha256:f1961d8ac5dafbcf9825fb71396c09f99b5e5e2def79cd37556ce7f12c805e81','sha256:3d6a916e86efba9105154ea95dda8d8da47df173d931c23e7a346c7babd81a3e','ok',1,0.5,'2026-11-01T00:00:10.000000+00:00','t',NULL,'','["read"]');
CREATE TABLE versions (
	digest VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	spec TEXT NOT NULL, 
	provenance TEXT NOT NULL, 
	evidence TEXT NOT NULL, 
	registered_at VARCHAR NOT NULL, 
	tier VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	PRIMARY KEY (digest), 
	UNIQUE (name, number)
);
INSERT INTO "versions" VALUES('sha256:ec288261e19272989faa7e7ccd9512d48e2f43d1413b8358f4318251c1da19ea','double',1,'{"calls":[],"description":"Double a number.","name":"double","needs":[],"parameters":{"additionalProperties":false,"properties":{"number":{"type":"integer"}},"required":["number"],"type":"object"},"returns":{"type":"integer"},"source":"\ndef double(number: int) -> int:\n    \"\"\"Return twice the number.\"\"\"\n    return 2 * number\n"}','{"origin":"person"}','{}','2026-11-01T00:00:01.000000+00:00','restricted','active');
INSERT INTO "versions" VALUES('sha256:f1961d8ac5dafbcf9825fb71396c09f99b5e5e2def79cd37556ce7f12c805e81','quad',1,'{"calls":["double"],"description":"","name":"quad","needs":[],"parameters":{"properties":{},"type":"object"},"returns":{},"source":"def quad():\n    return call_tool(\"double\", {\"number\": 2})\n"}','{}','{}','2026-11-01T00:00:03.000000+00:00','sandbox','active');
CREATE TRIGGER versions_no_update BEFORE UPDATE OF digest, name, number, spec, provenance, evidence, registered_at ON versions BEGIN SELECT RAISE(ABORT, 'rows of versions are kept as written'); END;
CREATE TRIGGER versions_no_delete BEFORE DELETE ON versions BEGIN SELECT RAISE(ABORT, 'rows of versions are kept as written'); END;
CREATE TRIGGER versions_no_replace BEFORE INSERT ON versions WHEN EXISTS (SELECT 1 FROM versions WHERE digest = NEW.digest) BEGIN SELECT RAISE(ABORT, 'rows of versions are kept as written'); END;
CREATE TRIGGER rejections_no_update BEFORE UPDATE  ON rejections BEGIN SELECT RAISE(ABORT, 'rows of rejections are kept as written'); END;
CREATE TRIGGER rejections_no_delete BEFORE DELETE ON rejections BEGIN SELECT RAISE(ABORT, 'rows of rejections are kept as written'); END;
CREATE TRIGGER rejections_no_replace BEFORE INSERT ON rejections WHEN EXISTS (SELECT 1 FROM rejections WHERE digest = NEW.digest) BEGIN SELECT RAISE(ABORT, 'rows of rejections are kept as written'); END;
CREATE TRIGGER audit_no_update BEFORE UPDATE  ON audit BEGIN SELECT RAISE(ABORT, 'rows of audit are kept as written'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'rows of audit are kept as written'); END;
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq) BEGIN SELECT RAISE(ABORT, 'rows of audit are kept as written'); END;
CREATE INDEX uses_by_version ON uses (version, id);
CREATE TRIGGER uses_no_update BEFORE UPDATE  ON uses BEGIN SELECT RAISE(ABORT, 'rows of uses are kept as written'); END;
CREATE TRIGGER uses_no_delete BEFORE DELETE ON uses BEGIN SELECT RAISE(ABORT, 'rows of uses are kept as written'); END;
CREATE TRIGGER uses_no_replace BEFORE INSERT ON uses WHEN EXISTS (SELECT 1 FROM uses WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'rows of uses are kept as written'); END;
COMMIT;
