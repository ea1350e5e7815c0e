from .pose import Pose as Pose
from .pose_estimation import PoseEstimator as PoseEstimator
from .pose_tracking import PoseTracker as PoseTracker
from .video_file import VideoFile as VideoFile
