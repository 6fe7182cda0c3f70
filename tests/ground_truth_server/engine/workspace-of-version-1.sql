PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE batches (
    job TEXT NOT NULL COLLATE NOCASE,
    number INTEGER NOT NULL,
    wave INTEGER NOT NULL,
    created TEXT NOT NULL,
    consolidated INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (job, number)
);
INSERT INTO "batches" VALUES('Welds0',1,1,'2020-09-15T16:00:00.000000',1);
CREATE TABLE data_objects (
    job TEXT NOT NULL COLLATE NOCASE,
    number INTEGER NOT NULL,     -- from 0, the line's place in the manifest
    line TEXT,                   -- the manifest line; NULL where it holds no JSON object
    state TEXT NOT NULL,
    wave INTEGER,
    task_input TEXT,
    closes TEXT,                 -- when it stops being available to workers
    free INTEGER,                -- how many more workers may take it now
    response TEXT,               -- the key of its worker response, once written
    batch INTEGER,
    label TEXT,                  -- the content of its consolidated annotation
    problem TEXT,                -- why it failed
    ended TEXT,                  -- when it failed
    PRIMARY KEY (job, number)
);
INSERT INTO "data_objects" VALUES('Welds0',0,'{"source":"s3://welds/dataset/0.json"}','labeled',1,'{"source":"s3://welds/dataset/0.json"}','2020-10-15T16:00:00.000000',0,'output/Welds0/annotations/worker-response/iteration-1/0/2020-09-15_16:00:00.json',1,'{"Weld":{"class":"Good Weld"},"Weld-metadata":{"votes":1}}',NULL,NULL);
INSERT INTO "data_objects" VALUES('Welds0',1,'{"source":"s3://welds/dataset/1.json"}','labeled',1,'{"source":"s3://welds/dataset/1.json"}','2020-10-15T16:00:00.000000',0,'output/Welds0/annotations/worker-response/iteration-1/1/2020-09-15_16:00:00.json',1,'{"Weld":{"class":"Good Weld"},"Weld-metadata":{"votes":1}}',NULL,NULL);
INSERT INTO "data_objects" VALUES('Welds0',2,'{"source":"s3://welds/dataset/2.json"}','labeled',1,'{"source":"s3://welds/dataset/2.json"}','2020-10-15T16:00:00.000000',0,'output/Welds0/annotations/worker-response/iteration-1/2/2020-09-15_16:00:00.json',1,'{"Weld":{"class":"Good Weld"},"Weld-metadata":{"votes":1}}',NULL,NULL);
INSERT INTO "data_objects" VALUES('Welds1',0,'{"source":"s3://welds/dataset/0.json"}','open',1,'{"source":"s3://welds/dataset/0.json"}','2020-10-15T16:00:00.000000',0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "data_objects" VALUES('Welds1',1,'{"source":"s3://welds/dataset/1.json"}','open',1,'{"source":"s3://welds/dataset/1.json"}','2020-10-15T16:00:00.000000',1,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "data_objects" VALUES('Welds1',2,'{"source":"s3://welds/dataset/2.json"}','open',1,'{"source":"s3://welds/dataset/2.json"}','2020-10-15T16:00:00.000000',1,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL COLLATE NOCASE,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    number INTEGER,
    worker TEXT,
    message TEXT NOT NULL,
    detail TEXT
);
INSERT INTO "events" VALUES(1,'Welds0','2020-09-15T16:00:00.000000','state',NULL,NULL,'Initializing: s3://welds/input.manifest',NULL);
INSERT INTO "events" VALUES(2,'Welds0','2020-09-15T16:00:00.000000','state',NULL,NULL,'InProgress: 3 data objects to label, 0 bad lines in s3://welds/input.manifest',NULL);
INSERT INTO "events" VALUES(3,'Welds0','2020-09-15T16:00:00.000000','wave',NULL,NULL,'Wave 1: 3 data objects go out',NULL);
INSERT INTO "events" VALUES(4,'Welds0','2020-09-15T16:00:00.000000','prepared',2,NULL,'Object 2 is ready for workers',NULL);
INSERT INTO "events" VALUES(5,'Welds0','2020-09-15T16:00:00.000000','prepared',0,NULL,'Object 0 is ready for workers',NULL);
INSERT INTO "events" VALUES(6,'Welds0','2020-09-15T16:00:00.000000','prepared',1,NULL,'Object 1 is ready for workers',NULL);
INSERT INTO "events" VALUES(7,'Welds0','2020-09-15T16:00:00.000000','accepted',0,'ann','ann took object 0',NULL);
INSERT INTO "events" VALUES(8,'Welds0','2020-09-15T16:00:00.000000','submitted',0,'ann','ann answered object 0 in 0 s',NULL);
INSERT INTO "events" VALUES(9,'Welds0','2020-09-15T16:00:00.000000','accepted',1,'ann','ann took object 1',NULL);
INSERT INTO "events" VALUES(10,'Welds0','2020-09-15T16:00:00.000000','submitted',1,'ann','ann answered object 1 in 0 s',NULL);
INSERT INTO "events" VALUES(11,'Welds0','2020-09-15T16:00:00.000000','accepted',2,'ann','ann took object 2',NULL);
INSERT INTO "events" VALUES(12,'Welds0','2020-09-15T16:00:00.000000','submitted',2,'ann','ann answered object 2 in 0 s',NULL);
INSERT INTO "events" VALUES(13,'Welds0','2020-09-15T16:00:00.000000','consolidated',NULL,NULL,'3 objects labeled from 3 answers',NULL);
INSERT INTO "events" VALUES(14,'Welds0','2020-09-15T16:00:00.000000','state',NULL,NULL,'Completed: The labels are in s3://welds/output/Welds0/manifests/output/output.manifest',NULL);
INSERT INTO "events" VALUES(15,'Welds1','2020-09-15T16:00:00.000000','state',NULL,NULL,'Initializing: s3://welds/input.manifest',NULL);
INSERT INTO "events" VALUES(16,'Welds1','2020-09-15T16:00:00.000000','state',NULL,NULL,'InProgress: 3 data objects to label, 0 bad lines in s3://welds/input.manifest',NULL);
INSERT INTO "events" VALUES(17,'Welds1','2020-09-15T16:00:00.000000','wave',NULL,NULL,'Wave 1: 3 data objects go out',NULL);
INSERT INTO "events" VALUES(18,'Welds1','2020-09-15T16:00:00.000000','prepared',0,NULL,'Object 0 is ready for workers',NULL);
INSERT INTO "events" VALUES(19,'Welds1','2020-09-15T16:00:00.000000','prepared',1,NULL,'Object 1 is ready for workers',NULL);
INSERT INTO "events" VALUES(20,'Welds1','2020-09-15T16:00:00.000000','prepared',2,NULL,'Object 2 is ready for workers',NULL);
INSERT INTO "events" VALUES(21,'Welds1','2020-09-15T16:00:00.000000','accepted',0,'ann','ann took object 0',NULL);
INSERT INTO "events" VALUES(22,'Welds1','2020-09-15T16:00:00.000000','submitted',0,'ann','ann answered object 0 in 0 s',NULL);
INSERT INTO "events" VALUES(23,'Welds1','2020-09-15T16:00:00.000000','accepted',1,'ann','ann took object 1',NULL);
INSERT INTO "events" VALUES(24,'Welds1','2020-09-15T16:00:00.000000','submitted',1,'ann','ann answered object 1 in 0 s',NULL);
INSERT INTO "events" VALUES(25,'Welds1','2020-09-15T16:00:00.000000','accepted',2,'ann','ann took object 2',NULL);
INSERT INTO "events" VALUES(26,'Welds1','2020-09-15T16:00:00.000000','submitted',2,'ann','ann answered object 2 in 0 s',NULL);
INSERT INTO "events" VALUES(27,'Welds1','2020-09-15T16:00:00.000000','accepted',0,'bo','bo took object 0',NULL);
CREATE TABLE jobs (
    name TEXT PRIMARY KEY COLLATE NOCASE,
    arn TEXT NOT NULL,
    request TEXT NOT NULL,
    template TEXT NOT NULL,
    categories TEXT,             -- a JSON array, where the request names a label category file
    status TEXT NOT NULL,
    failure_reason TEXT,
    created TEXT NOT NULL,
    modified TEXT NOT NULL,
    manifest_read INTEGER NOT NULL DEFAULT 0,
    in_manifests INTEGER NOT NULL DEFAULT -1  -- objects done when intermediate manifests were written
);
INSERT INTO "jobs" VALUES('Welds0','arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/welds0','{"LabelingJobName":"Welds0","LabelAttributeName":"Weld","InputConfig":{"DataSource":{"S3DataSource":{"ManifestS3Uri":"s3://welds/input.manifest"}}},"OutputConfig":{"S3OutputPath":"s3://welds/output/"},"RoleArn":"arn:aws:iam::111122223333:role/GroundTruth","HumanTaskConfig":{"WorkteamArn":"arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/everyone","UiConfig":{"UiTemplateS3Uri":"s3://welds/template.liquid.html"},"PreHumanTaskLambdaArn":"arn:aws:lambda:eu-west-1:111122223333:function:SageMakerPre","AnnotationConsolidationConfig":{"AnnotationConsolidationLambdaArn":"arn:aws:lambda:eu-west-1:111122223333:function:SageMakerPost"},"TaskTitle":"Classify the weld","TaskDescription":"Look at the picture and the plots","NumberOfHumanWorkersPerDataObject":1,"TaskTimeLimitInSeconds":600}}','<crowd-form>{{ task.input.source }}</crowd-form>',NULL,'Completed',NULL,'2020-09-15T16:00:00.000000','2020-09-15T16:00:00.000000',1,3);
INSERT INTO "jobs" VALUES('Welds1','arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/welds1','{"LabelingJobName":"Welds1","LabelAttributeName":"Weld","InputConfig":{"DataSource":{"S3DataSource":{"ManifestS3Uri":"s3://welds/input.manifest"}}},"OutputConfig":{"S3OutputPath":"s3://welds/output/"},"RoleArn":"arn:aws:iam::111122223333:role/GroundTruth","HumanTaskConfig":{"WorkteamArn":"arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/everyone","UiConfig":{"UiTemplateS3Uri":"s3://welds/template.liquid.html"},"PreHumanTaskLambdaArn":"arn:aws:lambda:eu-west-1:111122223333:function:SageMakerPre","AnnotationConsolidationConfig":{"AnnotationConsolidationLambdaArn":"arn:aws:lambda:eu-west-1:111122223333:function:SageMakerPost"},"TaskTitle":"Classify the weld","TaskDescription":"Look at the picture and the plots","NumberOfHumanWorkersPerDataObject":2,"TaskTimeLimitInSeconds":600}}','<crowd-form>{{ task.input.source }}</crowd-form>',NULL,'InProgress',NULL,'2020-09-15T16:00:00.000000','2020-09-15T16:00:00.000000',1,-1);
CREATE TABLE state_changes (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0
);
INSERT INTO "state_changes" VALUES(1,'{"version":"0","id":"e627d44b-adc0-52e0-9652-3475ec1ce23f","detail-type":"SageMaker Ground Truth Labeling Job State Change","source":"aws.sagemaker","account":"111122223333","time":"2020-09-15T16:00:00Z","region":"eu-west-1","resources":["arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/welds0"],"detail":{"LabelingJobStatus":"Initializing"}}',1);
INSERT INTO "state_changes" VALUES(2,'{"version":"0","id":"7323afd8-0094-5a73-ae99-3f43f905e0e7","detail-type":"SageMaker Ground Truth Labeling Job State Change","source":"aws.sagemaker","account":"111122223333","time":"2020-09-15T16:00:00Z","region":"eu-west-1","resources":["arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/welds0"],"detail":{"LabelingJobStatus":"InProgress"}}',1);
INSERT INTO "state_changes" VALUES(3,'{"version":"0","id":"9888c0c1-3c09-598c-8c43-e2a85610fdc4","detail-type":"SageMaker Ground Truth Labeling Job State Change","source":"aws.sagemaker","account":"111122223333","time":"2020-09-15T16:00:00Z","region":"eu-west-1","resources":["arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/welds0"],"detail":{"LabelingJobStatus":"Completed"}}',1);
INSERT INTO "state_changes" VALUES(4,'{"version":"0","id":"a67df2ac-2b0d-5572-acb1-6ce106b12231","detail-type":"SageMaker Ground Truth Labeling Job State Change","source":"aws.sagemaker","account":"111122223333","time":"2020-09-15T16:00:00Z","region":"eu-west-1","resources":["arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/welds1"],"detail":{"LabelingJobStatus":"Initializing"}}',1);
INSERT INTO "state_changes" VALUES(5,'{"version":"0","id":"084fc004-aec9-5745-b014-3769c0cead3f","detail-type":"SageMaker Ground Truth Labeling Job State Change","source":"aws.sagemaker","account":"111122223333","time":"2020-09-15T16:00:00Z","region":"eu-west-1","resources":["arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/welds1"],"detail":{"LabelingJobStatus":"InProgress"}}',1);
CREATE TABLE tasks (
    id TEXT PRIMARY KEY,
    job TEXT NOT NULL COLLATE NOCASE,
    number INTEGER NOT NULL,
    worker TEXT NOT NULL,
    state TEXT NOT NULL,
    accepted TEXT NOT NULL,
    expires TEXT NOT NULL,
    ended TEXT,
    answer TEXT
);
INSERT INTO "tasks" VALUES('805e405ce04044c4b7c3f3b59aeb2c10','Welds0',0,'ann','submitted','2020-09-15T16:00:00.000000','2020-09-15T16:10:00.000000','2020-09-15T16:00:00.000000','{"class":{"label":"Good Weld"}}');
INSERT INTO "tasks" VALUES('1373d652ed2d4579aefd7223f32b0552','Welds0',1,'ann','submitted','2020-09-15T16:00:00.000000','2020-09-15T16:10:00.000000','2020-09-15T16:00:00.000000','{"class":{"label":"Good Weld"}}');
INSERT INTO "tasks" VALUES('0948881db3074422a6f40b16373f9d52','Welds0',2,'ann','submitted','2020-09-15T16:00:00.000000','2020-09-15T16:10:00.000000','2020-09-15T16:00:00.000000','{"class":{"label":"Good Weld"}}');
INSERT INTO "tasks" VALUES('fe2047edef1d4a6ead24ba1fc2cff937','Welds1',0,'ann','submitted','2020-09-15T16:00:00.000000','2020-09-15T16:10:00.000000','2020-09-15T16:00:00.000000','{"class":{"label":"Good Weld"}}');
INSERT INTO "tasks" VALUES('276ccdc371e24e2dacb605d054744bcc','Welds1',1,'ann','submitted','2020-09-15T16:00:00.000000','2020-09-15T16:10:00.000000','2020-09-15T16:00:00.000000','{"class":{"label":"Good Weld"}}');
INSERT INTO "tasks" VALUES('9ee748f940184763a4b54f253771e0e0','Welds1',2,'ann','submitted','2020-09-15T16:00:00.000000','2020-09-15T16:10:00.000000','2020-09-15T16:00:00.000000','{"class":{"label":"Good Weld"}}');
INSERT INTO "tasks" VALUES('0e30df9fee434c6e9f6e1d1a76e9b02a','Welds1',0,'bo','accepted','2020-09-15T16:00:00.000000','2020-09-15T16:10:00.000000',NULL,NULL);
CREATE INDEX objects_by_state ON data_objects (job, state, number);
CREATE INDEX objects_to_take ON data_objects (job, number) WHERE state = 'open' AND free > 0;
CREATE INDEX objects_to_close ON data_objects (job, closes) WHERE state = 'open';
CREATE INDEX objects_by_batch ON data_objects (job, batch, number) WHERE batch IS NOT NULL;
CREATE INDEX tasks_by_object ON tasks (job, number, worker, state);
CREATE INDEX tasks_by_worker ON tasks (job, worker, state);
CREATE INDEX tasks_in_hand ON tasks (job, expires) WHERE state = 'accepted';
CREATE INDEX events_by_job ON events (job, sequence);
CREATE INDEX state_changes_to_deliver ON state_changes (sequence) WHERE delivered = 0;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('state_changes',5);
INSERT INTO "sqlite_sequence" VALUES('events',27);
COMMIT;
